// Loaded as an addon: opens a descriptor that nobody closes at exec, as native code that does not think of children
// does.
#include <fcntl.h>

__attribute__((constructor)) static void begin(void) {
  open("/dev/zero", O_RDONLY);
}
