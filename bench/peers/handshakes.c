/* Makes TLS connections, one after another in each of some processes, with one GET on each.
 *
 *   handshakes PORT SECONDS [--processes N] [--resume]
 *
 * Prints {"handshakes": N, "resumed": N, "failed": N, "seconds": S}. With --resume each handshake but the first of a
 * process offers the newest ticket that the server has given it. The certificate is not verified: what is measured is
 * the server. Connections are reset at the end, so that no address is used up by waiting. */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MAX_PROCESSES = 64 };

struct counts {
  unsigned long handshakes;
  unsigned long resumed;
  unsigned long failed;
};

static SSL_SESSION* newest_session = NULL;

static int keep_session(SSL* ssl, SSL_SESSION* session) {
  (void)ssl;
  SSL_SESSION_free(newest_session);
  newest_session = session;
  return 1; /* it is ours now */
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static int connect_to(int port) {
  const int yes = 1;
  const struct linger reset = {.l_onoff = 1, .l_linger = 0};
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int connection = socket(AF_INET, SOCK_STREAM, 0);
  if (connection < 0) return -1;
  setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  setsockopt(connection, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  if (connect(connection, (struct sockaddr*)&address, sizeof address) == 0) return connection;
  close(connection);
  return -1;
}

/* Whether a response with the body of the servers here came back. */
static int get(SSL* ssl) {
  static const char request[] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
  char response[4096];
  size_t size = 0;
  if (SSL_write(ssl, request, sizeof request - 1) <= 0) return 0;
  while (size < sizeof response - 1) {
    const int count = SSL_read(ssl, response + size, (int)(sizeof response - 1 - size));
    if (count <= 0) return 0;
    size += (size_t)count;
    response[size] = '\0';
    if (strstr(response, "Hello, World!") != NULL) return 1;
  }
  return 0;
}

static void make_one(SSL_CTX* context, int port, int resumes, struct counts* counts) {
  const int connection = connect_to(port);
  if (connection < 0) {
    ++counts->failed;
    return;
  }
  SSL* const ssl = SSL_new(context);
  SSL_set_fd(ssl, connection);
  SSL_set_tlsext_host_name(ssl, "localhost");
  if (resumes && newest_session != NULL) SSL_set_session(ssl, newest_session);
  if (SSL_connect(ssl) == 1 && get(ssl)) {
    ++counts->handshakes;
    if (SSL_session_reused(ssl)) ++counts->resumed;
  } else {
    ++counts->failed;
  }
  SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN); /* or its session would not be good any more */
  SSL_free(ssl);
  close(connection);
}

static void make_all(int port, double seconds, int resumes, struct counts* counts) {
  SSL_CTX* const context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  if (resumes) {
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, keep_session);
  }
  const double end = now() + seconds;
  while (now() < end) make_one(context, port, resumes, counts);
  SSL_CTX_free(context);
}

int main(int argc, char** argv) {
  int processes = 1;
  int resumes = 0;
  for (int i = 3; i < argc; ++i) {
    if (strcmp(argv[i], "--resume") == 0) {
      resumes = 1;
    } else if (strcmp(argv[i], "--processes") == 0 && i + 1 < argc) {
      processes = atoi(argv[++i]);
    } else {
      argc = 0;
    }
  }
  if (argc < 3 || processes < 1 || processes > MAX_PROCESSES) {
    fprintf(stderr, "usage: handshakes PORT SECONDS [--processes N] [--resume]\n");
    return 2;
  }
  const int port = atoi(argv[1]);
  const double seconds = atof(argv[2]);
  struct counts* const counts =
      mmap(NULL, sizeof(struct counts) * MAX_PROCESSES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (counts == MAP_FAILED) return 1;
  const double begin = now();
  for (int i = 0; i < processes; ++i) {
    if (fork() == 0) {
      make_all(port, seconds, resumes, &counts[i]);
      _exit(0);
    }
  }
  while (wait(NULL) > 0) {
  }
  struct counts sum = {0, 0, 0};
  for (int i = 0; i < processes; ++i) {
    sum.handshakes += counts[i].handshakes;
    sum.resumed += counts[i].resumed;
    sum.failed += counts[i].failed;
  }
  printf("{\"handshakes\": %lu, \"resumed\": %lu, \"failed\": %lu, \"seconds\": %.3f}\n", sum.handshakes, sum.resumed,
         sum.failed, now() - begin);
  return sum.handshakes > 0 ? 0 : 1;
}
