/*
 * Preloaded into a program, it puts another process in the place of /dev/i2c-N: what the program asks of such a device
 * goes, call by call, over the Unix socket named by I2C_SHIM_SOCKET, and comes back as result and errno. It knows the
 * calls the package i2c-bus makes for SMBus transfers and plain writes, and nothing of chips. One connection is one open file.
 *
 *   request:  u8 call, u8 command, u16 argument, u16 length, then that many bytes; little-endian
 *   answer:   i32 result, or the negative errno, u16 length, then that many bytes
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/i2c-dev.h>
#include <linux/i2c.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum call { OPEN = 1, SET_ADDRESS, FORCE_ADDRESS, SMBUS_READ, SMBUS_WRITE, WRITE };

enum { LONGEST = 8192, MOST_FILES = 1024 };

static const char DEVICE[] = "/dev/i2c-";

/*
 * Which file a descriptor was when it was opened as a device. Node closes by the system call itself, past any preloaded
 * close: a descriptor may be another file by now.
 */
static struct { dev_t device; ino_t inode; } opened[MOST_FILES];

static int ours(int fd) {
  struct stat now;
  return fd >= 0 && fd < MOST_FILES && opened[fd].inode && !fstat(fd, &now) && now.st_ino == opened[fd].inode &&
         now.st_dev == opened[fd].device;
}

static void *next(const char *name) { return dlsym(RTLD_NEXT, name); }

static ssize_t send_all(int fd, const void *bytes, size_t count) {
  for (size_t sent = 0; sent < count;) {
    ssize_t now = send(fd, (const char *)bytes + sent, count - sent, MSG_NOSIGNAL);
    if (now > 0) sent += (size_t)now;
    else if (errno != EINTR) return -1;
  }
  return 0;
}

static ssize_t receive_all(int fd, void *bytes, size_t count) {
  for (size_t received = 0; received < count;) {
    ssize_t now = recv(fd, (char *)bytes + received, count - received, 0);
    if (now > 0) received += (size_t)now;
    else if (now == 0 || errno != EINTR) return -1;
  }
  return 0;
}

/* Asks and waits for the answer. Without the other side the device is gone. */
static long ask(int fd, enum call call, uint8_t command, uint16_t argument, const void *give, uint16_t given,
                void *take, uint16_t room) {
  uint8_t request[6] = {(uint8_t)call, command};
  memcpy(request + 2, &argument, 2);
  memcpy(request + 4, &given, 2);
  int32_t result;
  uint16_t length;
  uint8_t answer[LONGEST];
  if (send_all(fd, request, sizeof request) || (given && send_all(fd, give, given)) ||
      receive_all(fd, &result, sizeof result) || receive_all(fd, &length, sizeof length) || length > LONGEST ||
      (length && receive_all(fd, answer, length))) {
    errno = ENODEV;
    return -1;
  }
  if (result < 0) {
    errno = -result;
    return -1;
  }
  if (take) memcpy(take, answer, length < room ? length : room);
  return result;
}

static int open_device(const char *path) {
  struct sockaddr_un where = {.sun_family = AF_UNIX};
  const char *socket_path = getenv("I2C_SHIM_SOCKET");
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  strncpy(where.sun_path, socket_path, sizeof where.sun_path - 1);
  int failed = 0;
  struct stat file;
  if (fd >= MOST_FILES || fstat(fd, &file) || connect(fd, (struct sockaddr *)&where, sizeof where)) failed = ENOENT;
  else if (ask(fd, OPEN, 0, (uint16_t)atoi(path + strlen(DEVICE)), NULL, 0, NULL, 0) < 0) failed = errno;
  if (failed) {
    close(fd);
    errno = failed;
    return -1;
  }
  opened[fd].device = file.st_dev;
  opened[fd].inode = file.st_ino;
  return fd;
}

static int is_device(const char *path) {
  return getenv("I2C_SHIM_SOCKET") && !strncmp(path, DEVICE, strlen(DEVICE));
}

#define OPEN_CALL(name)                                                  \
  int name(const char *path, int flags, ...) {                           \
    mode_t mode = 0;                                                     \
    if (flags & (O_CREAT | O_TMPFILE)) {                                 \
      va_list rest;                                                      \
      va_start(rest, flags);                                             \
      mode = va_arg(rest, mode_t);                                       \
      va_end(rest);                                                      \
    }                                                                    \
    if (is_device(path)) return open_device(path);                       \
    return ((int (*)(const char *, int, ...))next(#name))(path, flags, mode); \
  }
OPEN_CALL(open)
OPEN_CALL(open64)

static long smbus(int fd, struct i2c_smbus_ioctl_data *transfer) {
  uint8_t kind = (uint8_t)transfer->size;
  if (transfer->read_write == I2C_SMBUS_READ)
    return ask(fd, SMBUS_READ, transfer->command, kind, transfer->data, transfer->data ? sizeof *transfer->data : 0,
               transfer->data, sizeof *transfer->data);
  return ask(fd, SMBUS_WRITE, transfer->command, kind, transfer->data, transfer->data ? sizeof *transfer->data : 0,
             NULL, 0);
}

int ioctl(int fd, unsigned long request, ...) {
  va_list rest;
  va_start(rest, request);
  void *argument = va_arg(rest, void *);
  va_end(rest);
  if (!ours(fd)) return ((int (*)(int, unsigned long, ...))next("ioctl"))(fd, request, argument);
  switch (request) {
  case I2C_SLAVE: return (int)ask(fd, SET_ADDRESS, 0, (uint16_t)(uintptr_t)argument, NULL, 0, NULL, 0);
  case I2C_SLAVE_FORCE: return (int)ask(fd, FORCE_ADDRESS, 0, (uint16_t)(uintptr_t)argument, NULL, 0, NULL, 0);
  case I2C_SMBUS: return (int)smbus(fd, argument);
  default: errno = ENOTTY; return -1;
  }
}

#define WRITE_CALL(name)                                                                 \
  ssize_t name(int fd, const void *bytes, size_t count, off64_t at) {                    \
    if (!ours(fd)) return ((ssize_t (*)(int, const void *, size_t, off64_t))next(#name))(fd, bytes, count, at); \
    if (count > LONGEST) count = LONGEST;                                                \
    return ask(fd, WRITE, 0, 0, bytes, (uint16_t)count, NULL, 0);                        \
  }
WRITE_CALL(pwrite)
WRITE_CALL(pwrite64)
