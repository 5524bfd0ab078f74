#ifndef FREEFLOW_LOG_H
#define FREEFLOW_LOG_H

/* One line to stderr with FREEFLOW_LOG=debug; else nothing. Keeps errno. */
void ff_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Whether ff_debug() says anything: for what is only found out to be told. */
int ff_debug_is_wanted(void);

#endif
