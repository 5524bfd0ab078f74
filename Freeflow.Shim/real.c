#define _GNU_SOURCE
#include "real.h"

#include <dlfcn.h>
#include <stdatomic.h>

/* glibc 2.34 moved dlsym to libc under a new version; the old one is in every glibc, and musl has it without any. */
#if defined(__x86_64__)
__asm__(".symver dlsym,dlsym@GLIBC_2.2.5");
#elif defined(__aarch64__)
__asm__(".symver dlsym,dlsym@GLIBC_2.17");
#endif

static struct ff_real table;
static atomic_int filled;

const struct ff_real *ff_real(void)
{
	if (!atomic_load_explicit(&filled, memory_order_acquire)) {
		/* Two threads may do this at once: both store the same. */
#define FF_FILL(result, name, parameters) table.name = (result (*) parameters)dlsym(RTLD_NEXT, #name);
		FF_REAL_FUNCTIONS(FF_FILL)
#undef FF_FILL
		atomic_store_explicit(&filled, 1, memory_order_release);
	}
	return &table;
}

void *ff_symbol(const char *name)
{
	return dlsym(RTLD_DEFAULT, name);
}

__attribute__((constructor)) static void fill_early(void)
{
	(void)ff_real();
}
