/* A host that loads the plugin, draws it sixty times a second, and unloads it:
 * `host PLUGIN [SECONDS [BASE_URL [TEXT]]]`. It draws for SECONDS, or until TEXT was drawn, and reports how long the
 * plugin's functions took on the UI thread at most. */
#include "meter.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

int main(int count, char **arguments) {
  if (count < 2) {
    fprintf(stderr, "usage: %s PLUGIN [SECONDS [BASE_URL [TEXT]]]\n", arguments[0]);
    return 2;
  }
  double seconds = count > 2 ? atof(arguments[2]) : 2;
  const char *base_url = count > 3 ? arguments[3] : NULL;
  const char *awaited = count > 4 ? arguments[4] : NULL;

  void *plugin = dlopen(arguments[1], RTLD_NOW | RTLD_LOCAL);
  if (plugin == NULL) {
    fprintf(stderr, "%s\n", dlerror());
    return 1;
  }
  void *found[] = {dlsym(plugin, "meter_open"), dlsym(plugin, "meter_draw"), dlsym(plugin, "meter_close")};
  if (found[0] == NULL || found[1] == NULL || found[2] == NULL) {
    fprintf(stderr, "%s is not a plugin of this host\n", arguments[1]);
    return 1;
  }
  /* ISO C has no cast from an object pointer to a function pointer. */
  meter_open_function *open;
  meter_draw_function *draw;
  meter_close_function *close;
  memcpy(&open, &found[0], sizeof open);
  memcpy(&draw, &found[1], sizeof draw);
  memcpy(&close, &found[2], sizeof close);

  double begun = now_ms(), slowest = 0;
  if (!open(base_url)) {
    return 1;
  }
  double opening = now_ms() - begun;
  char shown[128] = "", text[128];
  for (double end = begun + seconds * 1e3; now_ms() < end;) {
    double frame = now_ms();
    draw(text, sizeof text);
    frame = now_ms() - frame;
    slowest = frame > slowest ? frame : slowest;
    if (strcmp(shown, text) != 0) {
      strcpy(shown, text);
      printf("%s\n", shown);
      if (awaited != NULL && strcmp(shown, awaited) == 0) {
        break;
      }
    }
    nanosleep(&(struct timespec){0, 16666667}, NULL);
  }
  begun = now_ms();
  close();
  double closing = now_ms() - begun;
  dlclose(plugin);
  printf("opened in %.1f ms, drawn in at most %.1f ms, closed in %.1f ms\n", opening, slowest, closing);
  return 0;
}
