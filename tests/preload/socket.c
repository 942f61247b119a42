/* Sockets that take as little as the kernel allows before a send must wait. */
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

int socket(int domain, int type, int protocol)
{
    int least = 1;
    int fd = (int)syscall(SYS_socket, domain, type, protocol);
    if (fd >= 0)
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &least, sizeof least);
    return fd;
}
