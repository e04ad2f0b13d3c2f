/* Fibers: stacks that one thread of the host switches between, known to AddressSanitizer and ThreadSanitizer. To
 * ThreadSanitizer each is a thread of its own that nothing orders but fiber_release and fiber_acquire, so that it finds
 * two threads of a block that touch the same word without a barrier between them. */
#ifndef BURST_STANDIN_FIBER_H
#define BURST_STANDIN_FIBER_H

struct fiber;

/* A suspended fiber that will call run(context), again each time it is resumed after run has returned. Ends the program
 * where there is no memory for its stack. */
struct fiber *fiber_new(void (*run)(void *context), void *context);
void fiber_free(struct fiber *);

/* Continue it until it calls fiber_suspend, or until its run returns. Not from within a fiber. */
void fiber_resume(struct fiber *);

/* Give control back to whoever resumed this fiber. */
void fiber_suspend(struct fiber *self);

/* What came before a release at that address comes before what follows an acquire there; nothing but ThreadSanitizer is
 * told. */
void fiber_release(void *at);
void fiber_acquire(void *at);
#endif
