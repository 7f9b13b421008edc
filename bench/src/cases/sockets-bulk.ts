import type { Case } from '../case.ts'
import { socketsCase } from './sockets-case.ts'

export const socketsBulk: readonly Case[] = [
  socketsCase({
    name: 'sockets-receive',
    summary: 'bytes that a program reads from one connection of @hawser/sockets',
    unit: 'MB/s',
    service: 'source',
    operation: 'receive',
  }),
  socketsCase({
    name: 'sockets-send',
    summary: 'bytes that a program writes to one connection of @hawser/sockets, 64 KiB at a time',
    unit: 'MB/s',
    service: 'sink',
    operation: 'send',
  }),
]
