#!/bin/sh
# Becomes workerd, which then ends with the process that started it, however that one ends: the kernel sees to it where
# setpriv (util-linux) can ask for that. Elsewhere workerd outlives a process that was killed.
if setpriv --pdeathsig KILL true 2> /dev/null; then
  exec setpriv --pdeathsig KILL "$HAWSER_WORKERD" "$@"
fi
exec "$HAWSER_WORKERD" "$@"
