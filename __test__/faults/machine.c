// LD_PRELOAD: the addon finds another machine.
//
//   PAGE=65536          pages of that size, as of some kernels for arm64: what is protected is rounded up to whole ones
//   IGNORED_FLAGS=4096  flags that clone() does not know, as an old kernel takes no notice of them
#include "addon.h"

#include <stdlib.h>
#include <sys/auxv.h>
#include <unistd.h>

static long number_in(const char *variable) {
  const char *value = getenv(variable);
  return value ? atol(value) : 0;
}

DEFINE(mprotect, long address, long size, long protection) {
  NEXT(mprotect);
  long page = number_in("PAGE");
  if (page && is_ours(SITE)) size = (size + page - 1) / page * page;
  return next(address, size, protection);
}

DEFINE(sysconf, long name) {
  NEXT(sysconf);
  long page = number_in("PAGE");
  return page && (name == _SC_PAGESIZE) && is_ours(SITE) ? page : next(name);
}

DEFINE(getauxval, long name) {
  NEXT(getauxval);
  long page = number_in("PAGE");
  return page && name == AT_PAGESZ && is_ours(SITE) ? page : next(name);
}

DEFINE(clone, long run, long stack, long flags, long argument, long pid, long tls, long child_pid) {
  NEXT(clone);
  if (is_ours(SITE)) flags &= ~number_in("IGNORED_FLAGS");
  return next(run, stack, flags, argument, pid, tls, child_pid);
}
