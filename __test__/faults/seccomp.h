// Filters that refuse system calls, and the names of those that the suites refuse.
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#define NUMBER offsetof(struct seccomp_data, nr)
#define ADDRESS offsetof(struct seccomp_data, instruction_pointer)
// The lower half of an argument, on a little-endian machine.
#define ARGUMENT(i) offsetof(struct seccomp_data, args[i])

#define CALL(name) { #name, SYS_##name }
static const struct { const char *name; long number; } CALLS[] = {
  CALL(setsid), CALL(setgroups), CALL(setgid), CALL(setuid), CALL(chdir), CALL(openat), CALL(close), CALL(dup3),
  CALL(fcntl), CALL(rt_sigaction), CALL(rt_sigprocmask), CALL(execve), CALL(getdents64), CALL(memfd_create),
  CALL(timerfd_create), CALL(close_range), CALL(pidfd_open), CALL(pidfd_send_signal), CALL(statx), CALL(faccessat2),
  CALL(fallocate), CALL(waitid), CALL(futex), CALL(getrandom),
};
#undef CALL

static long number_of(const char *name) {
  for (size_t i = 0; i < sizeof CALLS / sizeof *CALLS; i++) if (!strcmp(CALLS[i].name, name)) return CALLS[i].number;
  return -1;
}

static struct sock_filter filter[512];
static unsigned short length;

static void add(unsigned short code, unsigned char if_true, unsigned char if_false, unsigned value) {
  filter[length++] = (struct sock_filter){ code, if_true, if_false, value };
}

// Adds: what the other instructions did not decide gets `error`, or is allowed.
static void answer(int error) {
  add(BPF_RET | BPF_K, 0, 0, error ? SECCOMP_RET_ERRNO | error : SECCOMP_RET_ALLOW);
}

// Puts the filter on this thread and what it starts. It calls the kernel only, so it may run where memory is shared.
static int confine(void) {
  struct sock_fprog program = { length, filter };
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}
