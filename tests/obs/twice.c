/* libobs started and ended again and again in one process, each time with the plugin and OBS's own text source:
 * `twice PLUGIN TEXT_MODULE ROUNDS`. In each round it says "created", waits for a line on stdin (by then a call hangs),
 * takes the source away, ends libobs, and says how many milliseconds the source took to go, how many blocks of memory
 * libobs has left, and whether the plugin is still mapped after it was unloaded for good. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

#include <X11/Xlib.h>
#include <obs-module.h>
#include <obs-nix-platform.h>
#include <util/platform.h>

static void load(const char *path, const char *data) {
  obs_module_t *module;
  if (obs_open_module(&module, path, data) != MODULE_SUCCESS || !obs_init_module(module)) {
    fprintf(stderr, "%s: not loaded\n", path);
    exit(1);
  }
}

/* Unmaps a module if it can be. OBS keeps its handle of each: it is given back here, with ours. */
static bool unmapped(const char *path) {
  void *module = dlopen(path, RTLD_LAZY | RTLD_NOLOAD);
  dlclose(module);
  dlclose(module);
  module = dlopen(path, RTLD_LAZY | RTLD_NOLOAD);
  if (module != NULL) {
    dlclose(module);
  }
  return module == NULL;
}

static void round_trip(const char *plugin, const char *text_module, Display *display) {
  obs_set_nix_platform(OBS_NIX_PLATFORM_X11_EGL);
  obs_set_nix_platform_display(display);
  struct obs_video_info video = {.graphics_module = "libobs-opengl",
                                 .fps_num = 30,
                                 .fps_den = 1,
                                 .base_width = 640,
                                 .base_height = 120,
                                 .output_width = 640,
                                 .output_height = 120,
                                 .output_format = VIDEO_FORMAT_RGBA,
                                 .gpu_conversion = true};
  struct obs_audio_info audio = {.samples_per_sec = 48000, .speakers = SPEAKERS_STEREO};
  if (!obs_startup("en-US", NULL, NULL) || obs_reset_video(&video) != OBS_VIDEO_SUCCESS || !obs_reset_audio(&audio)) {
    fprintf(stderr, "libobs does not start\n");
    exit(1);
  }
  char path[4096], data[4096];
  snprintf(path, sizeof path, "%s/bin/64bit/fish-credit.so", plugin);
  snprintf(data, sizeof data, "%s/data", plugin);
  load(text_module, NULL);
  load(path, data);
  obs_post_load_modules();
  obs_source_t *source = obs_source_create("fish_api_credit", "Credit", NULL, NULL);
  obs_set_output_source(0, source);

  puts("created");
  fflush(stdout);
  if (getchar() != '\n') {
    exit(1);
  }

  uint64_t begun = os_gettime_ns();
  obs_set_output_source(0, NULL);
  obs_source_release(source);
  obs_wait_for_destroy_queue();
  double ms = (double)(os_gettime_ns() - begun) / 1e6;
  obs_shutdown();
  /* OBS's text module can be loaded again only if it was unmapped. */
  if (!unmapped(text_module)) {
    fprintf(stderr, "%s stays\n", text_module);
    exit(1);
  }
  printf("%.1f ms, %ld left, %s\n", ms, bnum_allocs(), unmapped(path) ? "unmapped" : "mapped");
  fflush(stdout);
}

int main(int count, char **arguments) {
  Display *display = XOpenDisplay(NULL);
  if (count != 4 || display == NULL) {
    return 2;
  }
  for (int rounds = atoi(arguments[3]); rounds > 0; rounds--) {
    round_trip(arguments[1], arguments[2], display);
  }
  XCloseDisplay(display);
  return 0;
}
