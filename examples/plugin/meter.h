/* What the host of this example asks of a plugin: three functions, all called on the host's UI thread, which none
 * of them may keep waiting. */
#ifndef METER_H
#define METER_H

/* Called once after loading. `base_url` may be NULL. 0: the plugin is of no use and is unloaded again. */
typedef int meter_open_function(const char *base_url);

/* Called for every frame that the host draws: copies the line to show into `text`. */
typedef void meter_draw_function(char *text, unsigned long size);

/* Called once before unloading, at any moment. */
typedef void meter_close_function(void);

#endif
