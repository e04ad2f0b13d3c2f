/* Switches of fiber.h: eight instructions on x86-64, swapcontext elsewhere. */
#include "tests/standin/fiber.h"
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

/* A function that leaves on another stack than it came on must not be told of. */
#define NOT_TSAN __attribute__((no_sanitize("thread")))

/* The sanitizers' words are weak: only the one linked has them. */
extern "C" {
#pragma weak __sanitizer_start_switch_fiber
#pragma weak __sanitizer_finish_switch_fiber
#pragma weak __tsan_get_current_fiber
#pragma weak __tsan_create_fiber
#pragma weak __tsan_destroy_fiber
#pragma weak __tsan_switch_to_fiber
#pragma weak __tsan_acquire
#pragma weak __tsan_release
void __sanitizer_start_switch_fiber(void **fake_stack_save, const void *bottom, size_t size);
void __sanitizer_finish_switch_fiber(void *fake_stack_save, const void **bottom_old, size_t *size_old);
void *__tsan_get_current_fiber(void);
void *__tsan_create_fiber(unsigned flags);
void __tsan_destroy_fiber(void *fiber);
void __tsan_switch_to_fiber(void *fiber, unsigned flags);
void __tsan_acquire(void *at);
void __tsan_release(void *at);
}

#if defined(__x86_64__) && !defined(STANDIN_UCONTEXT)
typedef void *place; /* the stack pointer; everything else lies on the stack */
extern "C" void standin_switch(place *ret_from, place to);
__asm__(".text\n.globl standin_switch\n.hidden standin_switch\n.type standin_switch, @function\n"
        "standin_switch:\n"
        "    pushq %rbp\n    pushq %rbx\n    pushq %r12\n    pushq %r13\n    pushq %r14\n    pushq %r15\n"
        "    movq %rsp, (%rdi)\n    movq %rsi, %rsp\n"
        "    popq %r15\n    popq %r14\n    popq %r13\n    popq %r12\n    popq %rbx\n    popq %rbp\n    ret\n"
        ".size standin_switch, .-standin_switch\n");
#else
#include <ucontext.h>
typedef ucontext_t place;
static void standin_switch(place *ret_from, place &to)
{
    (void)swapcontext(ret_from, &to);
}
#endif

enum : size_t { STACK = (size_t)256 << 10, GUARD = 4096 };

struct fiber {
    void (*run)(void *);
    void *context;
    unsigned char *stack; /* [GUARD + STACK], mapped */
    place inside, outside;
    void *fake_inside, *fake_outside; /* AddressSanitizer's */
    const void *bottom_outside;
    size_t size_outside;
    void *tsan_inside, *tsan_outside;
};

NOT_TSAN static void enter(struct fiber *f, void *fake)
{
    if (__sanitizer_finish_switch_fiber) __sanitizer_finish_switch_fiber(fake, &f->bottom_outside, &f->size_outside);
}

NOT_TSAN static void leave(struct fiber *f)
{
    if (__tsan_switch_to_fiber) __tsan_switch_to_fiber(f->tsan_outside, 1); /* 1: this orders nothing */
    if (__sanitizer_start_switch_fiber)
        __sanitizer_start_switch_fiber(&f->fake_inside, f->bottom_outside, f->size_outside);
}

NOT_TSAN void fiber_suspend(struct fiber *self)
{
    leave(self);
    standin_switch(&self->inside, self->outside);
    enter(self, self->fake_inside);
}

static struct fiber
    *beginning; /* the fiber whose first instructions run; one thread at a time makes and resumes fibers */

NOT_TSAN static void begin(void)
{
    struct fiber *self = beginning;
    enter(self, nullptr);
    for (;;) {
        self->run(self->context);
        fiber_suspend(self);
    }
}

static void place_at_begin(struct fiber *f)
{
#if defined(__x86_64__) && !defined(STANDIN_UCONTEXT)
    uintptr_t *top = reinterpret_cast<uintptr_t *>(f->stack + GUARD + STACK);
    top -= 2; /* the return address of begin, never used, at an address that is 8 past a multiple of 16 */
    *--top = 0;
    *--top = reinterpret_cast<uintptr_t>(begin);
    top -= 6;
    f->inside = top;
#else
    (void)getcontext(&f->inside);
    f->inside.uc_stack.ss_sp = f->stack + GUARD;
    f->inside.uc_stack.ss_size = STACK;
    f->inside.uc_link = nullptr;
    makecontext(&f->inside, begin, 0);
#endif
}

struct fiber *fiber_new(void (*run)(void *), void *context)
{
    struct fiber *f = static_cast<struct fiber *>(calloc(1, sizeof *f));
    void *stack =
        mmap(nullptr, GUARD + STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (!f || stack == MAP_FAILED || mprotect(stack, GUARD, PROT_NONE)) {
        fprintf(stderr, "stand-in: no memory for a stack\n");
        abort();
    }
    f->run = run;
    f->context = context;
    f->stack = static_cast<unsigned char *>(stack);
    place_at_begin(f);
    if (__tsan_create_fiber) f->tsan_inside = __tsan_create_fiber(0);
    return f;
}

void fiber_free(struct fiber *f)
{
    if (!f) return;
    if (__tsan_destroy_fiber) __tsan_destroy_fiber(f->tsan_inside);
    (void)munmap(f->stack, GUARD + STACK);
    free(f);
}

NOT_TSAN void fiber_resume(struct fiber *f)
{
    beginning = f;
    if (__tsan_switch_to_fiber) {
        f->tsan_outside = __tsan_get_current_fiber();
        __tsan_switch_to_fiber(f->tsan_inside, 1);
    }
    if (__sanitizer_start_switch_fiber) __sanitizer_start_switch_fiber(&f->fake_outside, f->stack + GUARD, STACK);
    standin_switch(&f->outside, f->inside);
    if (__sanitizer_finish_switch_fiber) __sanitizer_finish_switch_fiber(f->fake_outside, nullptr, nullptr);
}

void fiber_release(void *at)
{
    if (__tsan_release) __tsan_release(at);
}

void fiber_acquire(void *at)
{
    if (__tsan_acquire) __tsan_acquire(at);
}
