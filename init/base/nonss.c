/* The name service, refused: five entries through which libnl would pull it into PID 1. */
/* SPDX-License-Identifier: ISC */

/*
 * libnl translates names of hosts and protocols. We hand it numbers only, but its archive refers to
 * these functions, and glibc's versions load plugins with dlopen(3): a static link warns about each,
 * the result grows by 165 KB, and PID 1 would have a way to run code from files in the image.
 * Defined here, the linker never looks into glibc for them. Parsing of numeric addresses, which is
 * all that netns/ asks for, does not come through here. The link treats warnings as errors, so a
 * new use of the name service shows at once.
 */
#include <errno.h>
#include <netdb.h>
#include <stddef.h>

int getaddrinfo(const char *restrict node, const char *restrict service,
		const struct addrinfo *restrict hints, struct addrinfo **restrict res)
{
	(void)node, (void)service, (void)hints, (void)res;
	return EAI_FAIL;
}

void freeaddrinfo(struct addrinfo *res)
{
	(void)res;	/* none was ever given out */
}

int getnameinfo(const struct sockaddr *restrict sa, socklen_t salen, char *restrict host,
		socklen_t hostlen, char *restrict serv, socklen_t servlen, int flags)
{
	(void)sa, (void)salen, (void)host, (void)hostlen, (void)serv, (void)servlen, (void)flags;
	return EAI_FAIL;
}

struct protoent *getprotobyname(const char *name)
{
	(void)name;
	errno = ENOENT;
	return NULL;
}

struct protoent *getprotobynumber(int proto)
{
	(void)proto;
	errno = ENOENT;
	return NULL;
}
