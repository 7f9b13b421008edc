/** Loaded first in a process that runs under libfaketime: what it starts, such as workerd, does not come up under it. */
delete process.env['LD_PRELOAD']
