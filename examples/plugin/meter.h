/* The plugin interface of the example's host: three functions, all called on the host's UI thread. None may block. */
#ifndef METER_H
#define METER_H

/* Called once after loading. `base_url` may be NULL. Returns 0 on failure; the plugin is then unloaded. */
typedef int meter_open_function(const char *base_url);

/* Called for every frame that the host draws: copies the line to show into `text`. */
typedef void meter_draw_function(char *text, unsigned long size);

/* Called once before unloading, at any moment. */
typedef void meter_close_function(void);

#endif
