/*
 * The unwinder inside the static library for musl (unwinder.sh) calls this instead of dl_iterate_phdr. A linker lists
 * where a program's unwind tables are in a PT_GNU_EH_FRAME header, by which the unwinder finds them. But `gcc -static`
 * does not ask for that header, and a panic in such a program would end it. So where there is none, the tables are
 * registered from here, at the first panic.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#define _GNU_SOURCE
#include <link.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* libunwind's: registers the table's entry of one function. (It registers a whole table only if no linker has joined
   it with another.) */
void __unw_add_dynamic_fde(uintptr_t entry);

/* This object is linked first, so its entries begin the library's. */
extern const char first_frame[] __attribute__((visibility("hidden")));
__asm__(".pushsection .eh_frame\n"
        "first_frame:\n"
        ".popsection\n");

/* Registers what is from there to the end of the program's table. */
static void register_frames(void) {
  const char *entry = first_frame;
  uint32_t head[2]; /* the length of what follows it, and 0 if it describes no function */
  while (memcpy(head, entry, sizeof head), head[0] != 0) {
    if (head[1] != 0) __unw_add_dynamic_fde((uintptr_t)entry);
    entry += sizeof head[0] + head[0];
  }
}

typedef int callback_function(struct dl_phdr_info *, size_t, void *);

typedef struct {
  callback_function *callback;
  void *data;
} asked;

static int look(struct dl_phdr_info *module, size_t size, void *data) {
  static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
  static bool registered = false;
  const asked *original = data;
  bool ours = false, listed = false;
  for (size_t i = 0; i < module->dlpi_phnum; i++) {
    const ElfW(Phdr) *header = &module->dlpi_phdr[i];
    const uintptr_t start = module->dlpi_addr + header->p_vaddr;
    if (header->p_type == PT_LOAD && (uintptr_t)first_frame - start < header->p_memsz) ours = true;
    if (header->p_type == PT_GNU_EH_FRAME) listed = true;
  }
  if (ours && !listed) {
    pthread_mutex_lock(&lock);
    if (!registered) register_frames();
    registered = true;
    pthread_mutex_unlock(&lock);
  }
  return original->callback(module, size, original->data);
}

int program_dl_iterate_phdr(callback_function *callback, void *data) {
  asked original = {callback, data};
  return dl_iterate_phdr(look, &original);
}
