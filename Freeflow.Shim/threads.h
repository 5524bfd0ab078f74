/* The threads of this process. */
#ifndef FREEFLOW_THREADS_H
#define FREEFLOW_THREADS_H

/* Whether the application has none but the caller; our own watchers do not count. Reads /proc. 0 where it can't be known. */
int ff_has_one_thread(void);

#endif
