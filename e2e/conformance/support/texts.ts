/** The messages that workerd gives and drivers match on, as section 0 of the reference spells them. */
export const REFUSED = 'proxy request failed, cannot connect to the specified address'
export const REFUSED_HTTP: string = `${REFUSED}. It looks like you might be trying to connect to a HTTP-based service — consider using fetch instead`
export const LOST = 'Network connection lost.'

export const ADDRESS_UNPARSABLE = 'Specified address could not be parsed.'
export const ADDRESS_NO_HOST = 'Specified address is missing hostname.'
export const ADDRESS_NO_PORT = 'Specified address is missing port.'
export const ADDRESS_CHARACTERS = 'Specified address is empty string, contains unsupported characters or is too long.'
export const NOT_AN_INTEGER = 'The value cannot be converted because it is not an integer.'

export const WRITABLE_CLOSED = 'This WritableStream has been closed.'
export const WRITABLE_LOCKED = 'This WritableStream is currently locked to a writer.'
export const READABLE_LOCKED = 'This ReadableStream is currently locked to a reader.'
export const READABLE_CLOSING = 'This ReadableStream belongs to an object that is closing.'
export const WRITABLE_CLOSING = 'This WritableStream belongs to an object that is closing.'
export const READ_CANCELLED = 'Stream was cancelled.'
export const SOCKET_CLOSED = 'This socket has been closed.'
/** Of the constructor of Response, which is not the socket's: only the word is common to the hosts. */
export const DISTURBED: RegExp = /disturbed/
