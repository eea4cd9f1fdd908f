/* Shows that the image holds the C library with its databases, and OpenSSL. */
#include <dlfcn.h>
#include <netdb.h>
#include <pwd.h>
#include <stdio.h>
#include <unistd.h>

int main(void) {
    struct passwd *user = getpwuid(getuid());
    struct servent *https = getservbyname("https", "tcp");
    void *crypto = dlopen("libcrypto.so.3", RTLD_NOW);
    puts("hello from a program with the C library");
    printf("user: %s\n", user ? user->pw_name : "unknown");
    printf("https: %d\n", https ? (https->s_port & 0xff) << 8 | (https->s_port & 0xff00) >> 8 : 0);
    printf("OpenSSL: %s\n", crypto && dlsym(crypto, "EVP_sha256") && dlopen("libssl.so.3", RTLD_NOW) ? "yes" : "no");
    return 0;
}
