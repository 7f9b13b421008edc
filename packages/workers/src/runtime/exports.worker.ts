/**
 * `hawser:exports`: makes an invocation of each call that reaches an export of the Worker's, so that the connections opened
 * by it can be told from those of other calls. What the Worker's own code sees of its exports stays as it wrote it.
 */
import { DurableObject, WorkerEntrypoint } from 'cloudflare:workers'
import { enter } from 'hawser:runtime'

type Method = (...args: unknown[]) => unknown
type Class = new (...args: unknown[]) => object

/** What workerd calls on an exported object, or on an instance of an exported class. */
const HANDLERS = [
  'fetch',
  'connect',
  'scheduled',
  'queue',
  'email',
  'tail',
  'tailStream',
  'trace',
  'test',
  'alarm',
  'webSocketMessage',
  'webSocketClose',
  'webSocketError',
] as const

function isMethod(value: unknown): value is Method {
  return typeof value === 'function'
}

/** Looked up at each call: objects and prototypes may be changed later, and some frameworks do. */
function enterNamed(target: object, name: string, self: unknown): Method {
  return (...args) => enter(Reflect.get(target, name, self) as Method, self, args)
}

/** Every handler that `target` has, as own methods of `onto`, which call them on `self`. */
function addHandlers(onto: object, target: object, self: unknown): void {
  for (const name of HANDLERS) {
    if (!isMethod(Reflect.get(target, name))) continue
    Object.defineProperty(onto, name, { value: enterNamed(target, name, self), configurable: true, writable: true })
  }
}

/** An object of handlers: whatever else it has shows through. */
function wrapObject(target: object): object {
  const wrapped = Object.create(target) as object
  addHandlers(wrapped, target, target)
  return wrapped
}

/** Handlers that are fields of the instance, as arrow functions in a class are, come before those of any prototype. */
function wrapFields(instance: object): void {
  for (const name of HANDLERS) {
    const field = Object.getOwnPropertyDescriptor(instance, name)
    if (field === undefined || field.configurable !== true || !isMethod(field.value)) continue
    const method: Method = field.value
    const value: Method = (...args) => enter(method, instance, args)
    Object.defineProperty(instance, name, { ...field, value })
  }
}

/** What stands in for one property of a prototype; undefined where nothing has to. */
function wrapProperty(prototype: object, name: string, found: PropertyDescriptor): PropertyDescriptor | undefined {
  if (isMethod(found.value)) {
    const value = function (this: unknown, ...args: unknown[]): unknown {
      return enter(Reflect.get(prototype, name, this) as Method, this, args)
    }
    return { ...found, configurable: true, value: Object.defineProperty(value, 'name', { value: name }) }
  }
  if (found.get === undefined) return undefined
  const read = (self: unknown): unknown => Reflect.get(prototype, name, self)
  const get = function (this: unknown): unknown {
    return enter(read, undefined, [this])
  }
  return { ...found, configurable: true, get }
}

/** Methods and getters of a class and of what it extends, down to workerd's own; RPC looks for them on prototypes. */
function prototypeOf(prototype: object): object {
  const wrapped = Object.create(prototype) as object
  let level = prototype
  while (level !== Object.prototype && level !== DurableObject.prototype && level !== WorkerEntrypoint.prototype) {
    for (const [name, found] of Object.entries(Object.getOwnPropertyDescriptors(level))) {
      if (name === 'constructor' || Object.hasOwn(wrapped, name)) continue
      const descriptor = wrapProperty(prototype, name, found)
      if (descriptor !== undefined) Object.defineProperty(wrapped, name, descriptor)
    }
    const next = Object.getPrototypeOf(level) as object | null
    if (next === null) break
    level = next
  }
  return wrapped
}

/**
 * A subclass in all but syntax, for workerd to make its instances of: `instanceof`, `this.constructor`, static members and
 * private ones are those of the class itself.
 */
function wrapClass(target: Class): object {
  const wrapped = function (this: unknown, ...args: unknown[]): object {
    // A Durable Object's constructor may connect; it is called apart from any method.
    const instance = enter(construct, undefined, [target, args, (new.target ?? target) as unknown as Class])
    wrapFields(instance)
    return instance
  }
  const prototype = prototypeOf(target.prototype as object)
  Object.defineProperty(prototype, 'constructor', { value: target, configurable: true, writable: true })
  Object.defineProperty(wrapped, 'prototype', { value: prototype })
  Object.defineProperty(wrapped, 'name', { value: target.name, configurable: true })
  return Object.setPrototypeOf(wrapped, target) as object
}

function construct(target: Class, args: unknown[], newTarget: Class): object {
  return Reflect.construct(target, args, newTarget) as object
}

function isClass(value: unknown, isDurableObject: boolean): value is Class {
  if (!isMethod(value) || typeof value.prototype !== 'object' || value.prototype === null) return false
  const { prototype } = value as { prototype: unknown }
  // A Durable Object need not extend anything, as long as it is not called by RPC. Workflows have nothing to be entered.
  return isDurableObject || prototype instanceof WorkerEntrypoint || prototype instanceof DurableObject
}

/**
 * What the entry module exports in the place of `value`.
 *
 * @param isDurableObject whether the configuration names the export as a Durable Object class
 */
export function wrapExport(value: unknown, isDurableObject: boolean): unknown {
  if (isClass(value, isDurableObject)) return wrapClass(value)
  if (typeof value !== 'object' || value === null) return value
  return HANDLERS.some((name) => isMethod(Reflect.get(value, name))) ? wrapObject(value) : value
}
