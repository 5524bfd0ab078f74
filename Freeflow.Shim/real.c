#define _GNU_SOURCE
#include "real.h"

#include <dlfcn.h>
#include <stdatomic.h>
#include <string.h>

/* glibc 2.34 moved dlsym to libc under a new version; the old one is in every glibc, and musl has it without any. */
#if defined(__x86_64__)
__asm__(".symver dlsym,dlsym@GLIBC_2.2.5");
__asm__(".symver dlvsym,dlvsym@GLIBC_2.2.5");
#elif defined(__aarch64__)
__asm__(".symver dlsym,dlsym@GLIBC_2.17");
__asm__(".symver dlvsym,dlvsym@GLIBC_2.17");
#endif

/* musl has none. */
#pragma weak dlvsym

struct ff_real ff_real_table;
atomic_int ff_real_filled;

/*
 * Before 2.36, glibc's dlsym(RTLD_NEXT) gives the oldest of several versions: a realpath that takes no NULL, a glob that
 * passes over dangling links. So the younger ones are asked for by their version.
 */
static void *next(const char *name)
{
	static const struct {
		const char *name, *version;
	} changed[] = { { "realpath", "GLIBC_2.3" }, { "glob", "GLIBC_2.27" }, { "glob64", "GLIBC_2.27" } };
	void *found;

	for (size_t i = 0; dlvsym && i < sizeof(changed) / sizeof(*changed); i++)
		if (strcmp(name, changed[i].name) == 0 && (found = dlvsym(RTLD_NEXT, name, changed[i].version)))
			return found;
	return dlsym(RTLD_NEXT, name);
}

/* musl has dropped the names for large files since 1.2.4, but still takes them for the plain ones, for old programs. */
static void *next_plain(const char *name)
{
	char plain[32];
	size_t length = strlen(name);

	if (length < 3 || length >= sizeof(plain) || strcmp(name + length - 2, "64") != 0)
		return NULL;
	memcpy(plain, name, length - 2);
	plain[length - 2] = 0;
	return dlsym(RTLD_NEXT, plain);
}

static void *find(const char *name)
{
	void *found = next(name);

	return found ? found : next_plain(name);
}

void ff_real_fill(void)
{
	/* Two threads may do this at once: both store the same. */
#define FF_FILL(result, name, parameters) ff_real_table.name = (result (*) parameters)find(#name);
	FF_REAL_FUNCTIONS(FF_FILL)
#undef FF_FILL
	atomic_store_explicit(&ff_real_filled, 1, memory_order_release);
}

void *ff_symbol(const char *name)
{
	return dlsym(RTLD_DEFAULT, name);
}

__attribute__((constructor)) static void fill_early(void)
{
	(void)ff_real();
}
