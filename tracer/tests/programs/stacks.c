// A child sends on the number of an inherited connection, under which there is something else by now: each step in a
// function of its own. The last one's name is hostile: written raw to a terminal it would set the title.
//
// The parent waits for a line, so that it can be looked at.

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

// Results are volatile so that the compiler makes no jumps of the last calls: a jump leaves no frame.
#define STEP __attribute__((noinline)) static int

int send_with_a_hostile_name(int fd) __asm__("\"sends\033]0;owned\007_on_it\"");
__attribute__((noinline)) int send_with_a_hostile_name(int fd) {
    volatile int sent = (int)send(fd, "hello", 5, 0);
    return sent;
}

STEP opens_the_connection(const struct sockaddr_in *server) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, (const struct sockaddr *)server, sizeof *server) != 0) {
        perror("connect");
        exit(1);
    }
    return fd;
}

STEP forks_the_child(void) {
    volatile pid_t child = fork();
    return child;
}

STEP loses_the_connection(int fd) {
    close(fd);
    volatile int other = open("/dev/null", O_RDWR);
    return other;
}

int main(void) {
    struct sockaddr_in server = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof server;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&server, length) != 0 || listen(listener, 1) != 0 ||
        getsockname(listener, (struct sockaddr *)&server, &length) != 0) {
        perror("listen");
        return 1;
    }
    int fd = opens_the_connection(&server);
    pid_t child = forks_the_child();
    if (child == 0) {
        loses_the_connection(fd);
        send_with_a_hostile_name(fd);
        _exit(0);
    }
    waitpid(child, NULL, 0);
    getchar();
    return 0;
}
