/** Bytes of one request and of one reply in every small exchange. */
export const MESSAGE_BYTES = 64
