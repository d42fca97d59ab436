// For libraries that are preloaded: which calls the addon makes, and how a function of the C library is replaced.
#include <dlfcn.h>
#include <link.h>
#include <string.h>

#define ADDON "child-process-rs"

static unsigned long first_address, end_address;

static int find_addon(struct dl_phdr_info *object, size_t size, void *unused) {
  (void)size, (void)unused;
  const char *name = strrchr(object->dlpi_name, '/');
  if (!name || strncmp(name + 1, ADDON, strlen(ADDON))) return 0;
  for (int i = 0; i < object->dlpi_phnum; i++) {
    if (object->dlpi_phdr[i].p_type != PT_LOAD) continue;
    unsigned long begin = object->dlpi_addr + object->dlpi_phdr[i].p_vaddr, end = begin + object->dlpi_phdr[i].p_memsz;
    if (!first_address || begin < first_address) first_address = begin;
    if (end > end_address) end_address = end;
  }
  return 1;
}

static int is_ours(void *returns_to) {
  static int searching;
  if (!end_address && !__atomic_exchange_n(&searching, 1, __ATOMIC_ACQUIRE)) {
    dl_iterate_phdr(find_addon, NULL);
    __atomic_store_n(&searching, 0, __ATOMIC_RELEASE);
  }
  unsigned long address = (unsigned long)returns_to;
  return address >= first_address && address < end_address;
}

typedef long Function(long, ...);

#define SITE __builtin_return_address(0)
#define NEXT(name) \
  static Function *next; \
  if (!next) next = (Function *)dlsym(RTLD_NEXT, #name)

// The function `name` of the library, which has another name and another type here.
#define DEFINE(name, ...) \
  long our_##name(__VA_ARGS__) __asm__(#name); \
  long our_##name(__VA_ARGS__)
