/**
 * Which system calls delivered software may make: an allow list, so a call that the kernel gains later is refused until somebody looked at it.
 *
 * The names are those that container engines allow to a process without any capability, less what only helps an attacker here:
 * other processes' memory, io_uring, the personality, `sync` (it would flush every file system of the gateway).
 */

export const eperm = 1;
export const enosys = 38;
export const eafnosupport = 97;

export const allowedSyscalls: readonly string[] = words(`
  accept accept4 access alarm arch_prctl bind brk capget capset chdir chmod chown clock_getres clock_gettime clock_nanosleep close close_range
  connect copy_file_range creat dup dup2 dup3 epoll_create epoll_create1 epoll_ctl epoll_pwait epoll_pwait2 epoll_wait eventfd eventfd2
  execve execveat exit exit_group faccessat faccessat2 fadvise64 fallocate fchdir fchmod fchmodat fchown fchownat fcntl fdatasync
  fgetxattr flistxattr flock fork fremovexattr fsetxattr fstat fstatfs fsync ftruncate futex futex_waitv futimesat getcpu getcwd getdents
  getdents64 getegid geteuid getgid getgroups getitimer getpeername getpgid getpgrp getpid getppid getpriority getrandom getresgid getresuid
  getrlimit get_robust_list getrusage getsid getsockname getsockopt gettid gettimeofday getuid getxattr inotify_add_watch inotify_init
  inotify_init1 inotify_rm_watch io_cancel io_destroy io_getevents io_pgetevents ioprio_get ioprio_set io_setup io_submit kill
  landlock_add_rule landlock_create_ruleset landlock_restrict_self lchown lgetxattr link linkat listen listxattr llistxattr lremovexattr
  lseek lsetxattr lstat madvise membarrier memfd_create memfd_secret mincore mkdir mkdirat mlock mlock2 mlockall mmap mprotect mq_getsetattr
  mq_notify mq_open mq_timedreceive mq_timedsend mq_unlink mremap msgctl msgget msgrcv msgsnd msync munlock munlockall munmap nanosleep
  newfstatat open openat openat2 pause pidfd_open pidfd_send_signal pipe pipe2 pkey_alloc pkey_free pkey_mprotect poll ppoll prctl pread64
  preadv preadv2 prlimit64 process_mrelease pselect6 pwrite64 pwritev pwritev2 read readahead readlink readlinkat readv recvfrom recvmmsg
  recvmsg removexattr rename renameat renameat2 restart_syscall rmdir rseq rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo
  rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_tgsigqueueinfo sched_getaffinity sched_getattr sched_getparam sched_get_priority_max
  sched_get_priority_min sched_getscheduler sched_rr_get_interval sched_setaffinity sched_setattr sched_setparam sched_setscheduler
  sched_yield select semctl semget semop semtimedop sendfile sendmmsg sendmsg sendto setfsgid setfsuid setgid setgroups setitimer setpgid
  setpriority setregid setresgid setresuid setreuid setrlimit set_robust_list setsid setsockopt set_tid_address setuid setxattr shmat shmctl
  shmdt shmget shutdown sigaltstack signalfd signalfd4 splice stat statfs statx symlink symlinkat sync_file_range sysinfo tee tgkill time
  timer_create timer_delete timer_getoverrun timer_gettime timer_settime timerfd_create timerfd_gettime timerfd_settime times tkill truncate
  umask uname unlink unlinkat utime utimensat utimes vfork vmsplice wait4 waitid write writev`);

/** True when the argument's low word, masked, is one of `is`. The kernel reads these arguments as 32-bit values, so high bits change nothing. */
export type ArgumentTest = { readonly arg: 0 | 1 | 2 | 3 | 4 | 5; readonly mask?: number; readonly is: readonly number[] };
export type Verdict = 'allow' | { readonly errno: number };
export type ArgumentRow = { readonly where: readonly ArgumentTest[]; readonly answer: Verdict };

const newNamespaces = 0x7e020000; // CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET
const unixFamily = 1;
const inet = [2, 10];
const netlink = 16;
const streamOrDatagram = { arg: 1, mask: 0xf, is: [1, 2] } as const; // the rest of the word is SOCK_NONBLOCK and SOCK_CLOEXEC
const routeNetlink = { arg: 2, is: [0] } as const;
const ttyInjection = [0x5412, 0x541c]; // TIOCSTI, TIOCLINUX

/** Calls that depend on an argument. The first row that fits decides; the last row of each has no condition. */
export const argumentRules: Readonly<Record<string, readonly ArgumentRow[]>> = {
  clone: [
    { where: [{ arg: 0, mask: newNamespaces, is: [0] }], answer: 'allow' },
    { where: [], answer: { errno: eperm } },
  ],
  // The flags of clone3 lie in memory, where a filter cannot look. ENOSYS makes the C library fall back to clone.
  clone3: [{ where: [], answer: { errno: enosys } }],
  ioctl: [
    { where: [{ arg: 1, is: ttyInjection }], answer: { errno: eperm } },
    { where: [], answer: 'allow' },
  ],
  // AF_VSOCK reaches the host of a virtual machine and no network namespace cuts it; raw and packet sockets see other people's traffic.
  socket: [
    { where: [{ arg: 0, is: [unixFamily] }], answer: 'allow' },
    { where: [{ arg: 0, is: inet }, streamOrDatagram], answer: 'allow' },
    { where: [{ arg: 0, is: [netlink] }, routeNetlink], answer: 'allow' },
    { where: [{ arg: 0, is: [...inet, netlink] }], answer: { errno: eperm } },
    { where: [], answer: { errno: eafnosupport } },
  ],
  socketpair: [
    { where: [{ arg: 0, is: [unixFamily] }], answer: 'allow' },
    { where: [], answer: { errno: eafnosupport } },
  ],
};

function words(text: string): string[] {
  return text.trim().split(/\s+/);
}
