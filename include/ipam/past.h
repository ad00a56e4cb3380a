/*
 * What is remembered of addresses that nobody has:
 *
 *	released/10.9.0.2 -> "1f2e3d4c 86123"      boot, and seconds after it
 *	sticky/0:default%2fweb-0 -> "10.9.0.2"     by pool and name
 *	sticky/10.9.0.2 -> "0:default%2fweb-0"     so that each address has one name at most
 *
 * Nothing is lost with it but a convenience: failures are told on stderr.
 */
#ifndef IPAM_PAST_H
#define IPAM_PAST_H

#include "ipam/store.h"

void past_released(const struct store *store, const struct ip *ip);

/* Seconds that ip has still to wait after its release, of delay; 0: none. */
long long past_waits(const struct store *store, const struct ip *ip, long long delay);
/* Calls each() for all addresses that wait. */
void past_each_waiting(const struct store *store, long long delay,
		       void (*each)(void *arg, const struct ip *ip), void *arg);
void past_given(const struct store *store, const struct ip *ip);

/* The address that pool number n last gave to who comes as name; family 0: none. */
struct ip past_of(const struct store *store, size_t n, const char *name);
void past_remember(const struct store *store, size_t n, const char *name, const struct ip *ip);

#endif
