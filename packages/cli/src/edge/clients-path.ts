/** Where the control API has clients: below an account, and under a word of our own, for the vendor has no such thing. */
export const CLIENTS_PATH = '/hawser/clients'
