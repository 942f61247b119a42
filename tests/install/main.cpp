// main.c in C++.

#include <fish_api_credit.hpp>

#include <cstdio>

int main() {
  const auto credit = fish::ApiCredit::from_json(
      R"({"_id":"i","user_id":"u","credit":"1.5","created_at":"","updated_at":""})");
  fish::ClientOptions options;
  options.api_key = "key-1";
  options.base_url = "https://127.0.0.1:1"; // Nobody listens there.
  options.max_retries = 0;
  const fish::Client client = fish::Client::create(options).value();
  const bool good = fish::version() == FISH_VERSION && credit && credit->credit_micros() == 1500000 &&
                    client.get_api_credit().status() == fish::StatusCode::connect_failed;
  std::puts(good ? "good" : "wrong");
  return good ? 0 : 1;
}
