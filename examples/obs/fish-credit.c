/* An OBS source that shows the account's API credit: its label and balance as text, coloured by level.
 *
 * OBS calls a source on three threads, and none of them may wait for the network or for a disk:
 *   - the UI thread creates it and shows its properties;
 *   - the render thread calls update, tick and render;
 *   - the destroy thread, which OBS has for slow work, runs one task after another. Making a client, which reads the key
 *     file, is such a task here. So is destroying a source: it comes after all that was queued before.
 * The credit is read on a thread of the library's. The plugin has none. */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <obs-module.h>
#include <util/threading.h>

#include "fish_api_credit.h"

OBS_DECLARE_MODULE()
OBS_MODULE_USE_DEFAULT_LOCALE("fish-credit", "en-US")

#define LOOK_SECONDS 0.25f   /* how often the watch is looked at */
#define SETTLED_SECONDS 0.5f /* so long nothing more was typed: time to ask */
#define KEY_SIZE 4096        /* the longest key that the library takes */

/* What to ask for. */
struct question {
  struct meter *meter;
  char *key_file, *user_id, *team_id;
  uint32_t interval_ms;
  int64_t low_micros;
};

struct meter {
  obs_source_t *source;
  obs_source_t *text; /* OBS's own text source, which draws */

  /* Held for moments only: the render thread does not even wait for that, and looks again in the next frame. */
  pthread_mutex_t lock;
  fish_client *client;
  fish_watch *watch;
  char problem[512]; /* why there is no watch */

  volatile bool again; /* begin anew: the key may have changed */

  /* The render thread's, and before that create's. */
  struct question *asked;
  bool settled;
  float since_typed, since_look;
  char *label;
  uint32_t colors[4]; /* by fish_level */
  char shown[256];
  uint32_t shown_color;
  fish_status said; /* the status that the log has */
};

/* ---- The key ----------------------------------------------------------------------------------------------------- */

/* Reads the key from a file of the user's that nobody else may read. Says what is wrong with it, or NULL. */
static const char *read_key(const char *path, char key[KEY_SIZE + 2]) {
  /* Without O_NONBLOCK a pipe would wait for its writer. */
  int file = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (file == -1) {
    return errno == ENOENT ? "There is no such key file." : "The key file cannot be opened.";
  }
  struct stat about;
  const char *wrong = NULL;
  size_t length = 0;
  if (fstat(file, &about) != 0 || !S_ISREG(about.st_mode)) {
    wrong = "The key file is not a regular file.";
  } else if ((about.st_mode & 077) != 0) {
    wrong = "Others may read the key file: chmod 600 it.";
  } else {
    ssize_t count;
    while (length <= KEY_SIZE && (count = read(file, key + length, KEY_SIZE + 1 - length)) > 0) {
      length += (size_t)count;
    }
    if (length > KEY_SIZE) {
      wrong = "The key file is too long.";
    }
  }
  close(file);
  while (length > 0 && strchr(" \t\r\n", key[length - 1]) != NULL) {
    length--;
  }
  key[length] = '\0';
  return wrong != NULL ? wrong : length == 0 ? "The key file is empty." : NULL;
}

/* ---- Asking ------------------------------------------------------------------------------------------------------ */

static struct question *question_new(struct meter *meter, const char *key_file, const char *user_id,
                                     const char *team_id, uint32_t interval_ms, int64_t low_micros) {
  struct question *question = bzalloc(sizeof *question);
  question->meter = meter;
  question->key_file = bstrdup(key_file);
  question->user_id = bstrdup(user_id);
  question->team_id = bstrdup(team_id);
  question->interval_ms = interval_ms;
  question->low_micros = low_micros;
  return question;
}

static void question_free(struct question *question) {
  if (question != NULL) {
    bfree(question->key_file);
    bfree(question->user_id);
    bfree(question->team_id);
    bfree(question);
  }
}

static bool question_same(const struct question *one, const struct question *other) {
  return strcmp(one->key_file, other->key_file) == 0 && strcmp(one->user_id, other->user_id) == 0 &&
         strcmp(one->team_id, other->team_id) == 0 && one->interval_ms == other->interval_ms &&
         one->low_micros == other->low_micros;
}

static const char *unless_empty(const char *text) {
  return text == NULL || *text == '\0' ? NULL : text;
}

/* The destroy thread: begins to ask, and ends what was asked before. */
static void question_start(void *data) {
  struct question *question = data;
  struct meter *meter = question->meter;
  fish_client *client = NULL;
  fish_watch *watch = NULL;
  fish_error error = {0};
  char key[KEY_SIZE + 2];
  const char *wrong = NULL;

  fish_client_options options = {0};
  options.user_agent = "obs-fish-credit/1.0";
  /* Not a setting: whoever gives you a scene would decide where your key is sent. */
  options.base_url = unless_empty(getenv("FISH_BASE_URL"));
  if (*question->key_file != '\0') {
    wrong = read_key(question->key_file, key);
    options.api_key = key;
  }
  fish_api_credit_query query = {0};
  query.user_id = unless_empty(question->user_id);
  query.team_id = unless_empty(question->team_id);
  fish_watch_options reading = {0};
  reading.interval_ms = question->interval_ms;
  reading.low_micros = question->low_micros;
  if (wrong == NULL && (fish_client_new(&options, &client, &error) != FISH_OK ||
                        fish_watch_start(client, &query, &reading, &watch, &error) != FISH_OK)) {
    wrong = error.message;
  }
  explicit_bzero(key, sizeof key);
  if (wrong != NULL) {
    blog(LOG_WARNING, "[fish-credit] '%s': %s", obs_source_get_name(meter->source), wrong);
  }

  pthread_mutex_lock(&meter->lock);
  fish_client *old_client = meter->client;
  fish_watch *old_watch = meter->watch;
  meter->client = client;
  meter->watch = watch;
  snprintf(meter->problem, sizeof meter->problem, "%s", wrong != NULL ? wrong : "");
  pthread_mutex_unlock(&meter->lock);

  fish_watch_free(old_watch);
  fish_client_free(old_client);
  fish_error_free(&error);
  question_free(question);
}

/* Queues it. The question goes with it; a copy is kept, to know whether the next one differs. */
static void meter_ask(struct meter *meter) {
  const struct question *asked = meter->asked;
  obs_queue_task(OBS_TASK_DESTROY, question_start,
                 question_new(meter, asked->key_file, asked->user_id, asked->team_id, asked->interval_ms,
                              asked->low_micros),
                 false);
}

/* ---- Drawing: the render thread ---------------------------------------------------------------------------------- */

/* The line to show and its colour. Only what may be seen by all who watch: why a reading failed goes to the log. */
static uint32_t meter_line(struct meter *meter, char *line, size_t size) {
  fish_watch_state state = {0};
  fish_error error = {0};
  fish_status status = FISH_PENDING;
  if (meter->watch != NULL) {
    status = fish_watch_read(meter->watch, &state, &error);
  }
  if (meter->problem[0] != '\0' || (state.credit.credit == NULL && status != FISH_PENDING)) {
    snprintf(line, size, "%s: ?", meter->label);
  } else if (state.credit.credit == NULL) {
    snprintf(line, size, "%s: ...", meter->label);
  } else {
    char amount[32];
    fish_format_micros(state.credit.credit_micros, 2, amount, sizeof amount);
    bool owed = amount[0] == '-';
    /* After a failure it is the last that was read. */
    bool old = status != FISH_OK;
    snprintf(line, size, "%s: %s$%s%s%s", meter->label, owed ? "-" : "", amount + owed, old ? " " : "",
             old ? obs_module_text("Old") : "");
  }
  if (status != meter->said && status != FISH_PENDING) {
    meter->said = status;
    blog(status == FISH_OK ? LOG_INFO : LOG_WARNING, "[fish-credit] '%s': %s%s%s",
         obs_source_get_name(meter->source), fish_status_name(status), status == FISH_OK ? "" : ": ",
         status == FISH_OK ? "" : error.message);
  }
  uint32_t color = meter->colors[state.level];
  fish_error_free(&error);
  fish_watch_state_free(&state);
  return color;
}

/* False if the lock is taken. */
static bool meter_look(struct meter *meter) {
  char line[sizeof meter->shown];
  if (pthread_mutex_trylock(&meter->lock) != 0) {
    return false;
  }
  uint32_t color = meter_line(meter, line, sizeof line);
  pthread_mutex_unlock(&meter->lock);
  if (strcmp(line, meter->shown) != 0 || color != meter->shown_color) {
    strcpy(meter->shown, line);
    meter->shown_color = color;
    obs_data_t *settings = obs_data_create();
    obs_data_set_string(settings, "text", line);
    obs_data_set_int(settings, "color1", color);
    obs_data_set_int(settings, "color2", color);
    obs_source_update(meter->text, settings);
    obs_data_release(settings);
  }
  return true;
}

static void meter_tick(void *data, float seconds) {
  struct meter *meter = data;
  meter->since_typed += seconds;
  meter->since_look += seconds;
  bool settled = !meter->settled && meter->since_typed >= SETTLED_SECONDS;
  if (settled || os_atomic_exchange_bool(&meter->again, false)) {
    meter->settled = true;
    meter_ask(meter);
  }
  if (meter->since_look >= LOOK_SECONDS && meter_look(meter)) {
    meter->since_look = 0;
  }
}

static void meter_render(void *data, gs_effect_t *effect) {
  struct meter *meter = data;
  obs_source_video_render(meter->text);
  UNUSED_PARAMETER(effect);
}

static uint32_t meter_width(void *data) {
  return obs_source_get_width(((struct meter *)data)->text);
}

static uint32_t meter_height(void *data) {
  return obs_source_get_height(((struct meter *)data)->text);
}

/* ---- Settings ---------------------------------------------------------------------------------------------------- */

static void meter_defaults(obs_data_t *settings) {
  obs_data_set_default_string(settings, "label", obs_module_text("Label.Default"));
  obs_data_set_default_int(settings, "interval", 60);
  obs_data_set_default_double(settings, "low", 1);
  obs_data_set_default_int(settings, "color_ok", 0xffffffff);
  obs_data_set_default_int(settings, "color_low", 0xff00a5ff);
  obs_data_set_default_int(settings, "color_empty", 0xff3030ff);
  obs_data_set_default_int(settings, "color_unknown", 0xffa0a0a0);
  obs_data_t *font = obs_data_create();
  obs_data_set_default_string(font, "face", "Sans Serif");
  obs_data_set_default_int(font, "size", 64);
  obs_data_set_default_obj(settings, "font", font);
  obs_data_release(font);
}

/* What the settings say, first on the thread that creates, then on the render thread. */
static void meter_settings(struct meter *meter, obs_data_t *settings) {
  bfree(meter->label);
  meter->label = bstrdup(obs_data_get_string(settings, "label"));
  meter->colors[FISH_LEVEL_UNKNOWN] = (uint32_t)obs_data_get_int(settings, "color_unknown");
  meter->colors[FISH_LEVEL_OK] = (uint32_t)obs_data_get_int(settings, "color_ok");
  meter->colors[FISH_LEVEL_LOW] = (uint32_t)obs_data_get_int(settings, "color_low");
  meter->colors[FISH_LEVEL_EMPTY] = (uint32_t)obs_data_get_int(settings, "color_empty");
  meter->since_look = LOOK_SECONDS;

  /* Field by field: an update takes no defaults over. */
  obs_data_t *given = obs_data_get_obj(settings, "font"), *font = obs_data_create(), *drawing = obs_data_create();
  obs_data_set_string(font, "face", obs_data_get_string(given, "face"));
  obs_data_set_string(font, "style", obs_data_get_string(given, "style"));
  obs_data_set_int(font, "size", obs_data_get_int(given, "size"));
  obs_data_set_int(font, "flags", obs_data_get_int(given, "flags"));
  obs_data_set_obj(drawing, "font", font);
  obs_source_update(meter->text, drawing);
  obs_data_release(drawing);
  obs_data_release(font);
  obs_data_release(given);

  struct question *question =
      question_new(meter, obs_data_get_string(settings, "key_file"), obs_data_get_string(settings, "user_id"),
                   obs_data_get_string(settings, "team_id"),
                   (uint32_t)obs_data_get_int(settings, "interval") * 1000,
                   (int64_t)llround(obs_data_get_double(settings, "low") * 1e6));
  if (meter->asked != NULL && question_same(meter->asked, question)) {
    question_free(question);
    return;
  }
  question_free(meter->asked);
  meter->asked = question;
  meter->settled = false;
  meter->since_typed = 0;
}

static bool read_now(obs_properties_t *properties, obs_property_t *button, void *data) {
  struct meter *meter = data;
  pthread_mutex_lock(&meter->lock);
  bool anew = meter->watch == NULL;
  if (!anew) {
    fish_watch_state state;
    fish_status status = fish_watch_read(meter->watch, &state, NULL);
    fish_watch_state_free(&state);
    anew = status == FISH_UNAUTHORIZED || status == FISH_FORBIDDEN;
    fish_watch_refresh(meter->watch);
  }
  pthread_mutex_unlock(&meter->lock);
  if (anew) {
    os_atomic_set_bool(&meter->again, true);
  }
  UNUSED_PARAMETER(properties);
  UNUSED_PARAMETER(button);
  return false;
}

static obs_properties_t *meter_properties(void *data) {
  struct meter *meter = data;
  obs_properties_t *properties = obs_properties_create();
  obs_properties_add_text(properties, "label", obs_module_text("Label"), OBS_TEXT_DEFAULT);
  obs_properties_add_path(properties, "key_file", obs_module_text("KeyFile"), OBS_PATH_FILE, NULL, NULL);
  obs_properties_add_text(properties, "user_id", obs_module_text("User"), OBS_TEXT_DEFAULT);
  obs_properties_add_text(properties, "team_id", obs_module_text("Team"), OBS_TEXT_DEFAULT);
  obs_property_t *interval =
      obs_properties_add_int(properties, "interval", obs_module_text("Interval"), 5, 86400, 5);
  obs_property_int_set_suffix(interval, " s");
  obs_properties_add_float(properties, "low", obs_module_text("Low"), 0, 1e6, 1);
  obs_properties_add_font(properties, "font", obs_module_text("Font"));
  obs_properties_add_color(properties, "color_ok", obs_module_text("Color.Ok"));
  obs_properties_add_color(properties, "color_low", obs_module_text("Color.Low"));
  obs_properties_add_color(properties, "color_empty", obs_module_text("Color.Empty"));
  obs_properties_add_color(properties, "color_unknown", obs_module_text("Color.Unknown"));
  obs_properties_add_button(properties, "refresh", obs_module_text("ReadNow"), read_now);
  if (meter == NULL) {
    return properties;
  }
  /* What the line does not say. */
  char problem[sizeof meter->problem];
  pthread_mutex_lock(&meter->lock);
  memcpy(problem, meter->problem, sizeof problem);
  if (meter->watch != NULL) {
    fish_watch_state state;
    fish_error error;
    if (fish_watch_read(meter->watch, &state, &error) != FISH_OK) {
      snprintf(problem, sizeof problem, "%s", error.message != NULL ? error.message : "");
    }
    fish_error_free(&error);
    fish_watch_state_free(&state);
  }
  pthread_mutex_unlock(&meter->lock);
  if (problem[0] != '\0') {
    obs_properties_add_text(properties, "problem", problem, OBS_TEXT_INFO);
  }
  return properties;
}

/* ---- Life -------------------------------------------------------------------------------------------------------- */

static void meter_destroy(void *data) {
  struct meter *meter = data;
  /* Neither waits: a reading under way is cancelled, and its thread ends by itself. */
  fish_watch_free(meter->watch);
  fish_client_free(meter->client);
  obs_source_release(meter->text);
  question_free(meter->asked);
  bfree(meter->label);
  pthread_mutex_destroy(&meter->lock);
  bfree(meter);
}

static void *meter_create(obs_data_t *settings, obs_source_t *source) {
  struct meter *meter = bzalloc(sizeof *meter);
  meter->source = source;
  pthread_mutex_init(&meter->lock, NULL);
  meter->said = FISH_OK; /* the log need not have the first success */
  meter->text = obs_source_create_private("text_ft2_source_v2", "fish-credit text", NULL);
  meter_settings(meter, settings);
  meter->settled = true;
  meter_ask(meter);
  return meter;
}

static const char *meter_name(void *type_data) {
  UNUSED_PARAMETER(type_data);
  return obs_module_text("Name");
}

static void meter_update(void *data, obs_data_t *settings) {
  meter_settings(data, settings);
}

bool obs_module_load(void) {
  struct obs_source_info info = {
      .id = "fish_api_credit",
      .type = OBS_SOURCE_TYPE_INPUT,
      .output_flags = OBS_SOURCE_VIDEO | OBS_SOURCE_CUSTOM_DRAW | OBS_SOURCE_SRGB,
      .icon_type = OBS_ICON_TYPE_TEXT,
      .get_name = meter_name,
      .create = meter_create,
      .destroy = meter_destroy,
      .update = meter_update,
      .get_defaults = meter_defaults,
      .get_properties = meter_properties,
      .get_width = meter_width,
      .get_height = meter_height,
      .video_tick = meter_tick,
      .video_render = meter_render,
  };
  obs_register_source(&info);
  blog(LOG_INFO, "[fish-credit] loaded, with fish-api-credit %s inside", fish_version());
  return true;
}
