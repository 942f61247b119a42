/* Several plugins in one process, each with a library of its own or all with one: what each calls is its own copy,
 * all work at the same time, and unloading one does not touch the others. Arguments: the plain server's address,
 * "apart" or "shared": whether no two plugins use the same copy, and the plugins. */
#include "host.h"

#include <dlfcn.h>

#define MOST 4

int main(int count, char **arguments) {
  int plugins = count - 3;
  CHECK(plugins >= 2 && plugins <= MOST);
  int apart = strcmp(arguments[2], "apart") == 0;
  void *handles[MOST];
  const void *libraries[MOST];
  int (*calls[MOST])(const char *, unsigned);
  double (*stops[MOST])(void);
  for (int i = 0; i < plugins; i++) {
    const void *(*library)(void);
    void (*start)(const char *);
    /* The first is even global, as a program's own libraries are. */
    handles[i] = dlopen(arguments[3 + i], RTLD_NOW | (i == 0 ? RTLD_GLOBAL : RTLD_LOCAL));
    if (handles[i] == NULL) {
      fprintf(stderr, "%s\n", dlerror());
      return 1;
    }
    void *found[] = {dlsym(handles[i], "plugin_call"), dlsym(handles[i], "plugin_stop"),
                     dlsym(handles[i], "plugin_start"), dlsym(handles[i], "plugin_library")};
    memcpy(&calls[i], &found[0], sizeof found[0]);
    memcpy(&stops[i], &found[1], sizeof found[0]);
    memcpy(&start, &found[2], sizeof found[0]);
    memcpy(&library, &found[3], sizeof found[0]);
    libraries[i] = library();
    for (int other = 0; other < i; other++) {
      CHECK((libraries[i] != libraries[other]) == apart);
    }
    start(at(arguments[1], "/ok"));
  }
  for (int i = 0; i < plugins; i++) {
    CHECK_STATUS(calls[i](at(arguments[1], "/ok"), 60000), FISH_OK);
    CHECK_STATUS(calls[i](at(arguments[1], "/422"), 60000), FISH_VALIDATION_FAILED);
  }
  /* Leave in the order they came; those that are left go on. */
  for (int i = 0; i < plugins; i++) {
    stops[i]();
    CHECK(dlclose(handles[i]) == 0);
    for (int left = i + 1; left < plugins; left++) {
      CHECK_STATUS(calls[left](at(arguments[1], "/ok"), 60000), FISH_OK);
    }
  }
  printf("%d plugins, copies %s\n", plugins, arguments[2]);
  return 0;
}
