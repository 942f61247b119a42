/* The client of this library's contenders. */
#ifndef OURS_H
#define OURS_H

static fish_client *client;

static void connect_client(const char *host, const char *port, const char *ca_file) {
  char url[256];
  snprintf(url, sizeof url, "%s://%s:%s", ca_file ? "https" : "http", host, port);
  fish_client_options options = {.api_key = KEY, .base_url = url, .proxy_url = "", .ca_file = ca_file};
  fish_error error;
  if (fish_client_new(&options, &client, &error)) die(error.message);
}

#endif
