#include "pipette/server/user_values.h"

#include <algorithm>

namespace pipette::server {

std::list<UserValues::Entry>::iterator UserValues::at(std::string_view key) {
  return std::ranges::find(entries_, key, &Entry::key);
}

void UserValues::set(std::string_view key, std::any value) {
  if (const auto found = at(key); found != entries_.end()) {
    found->value = std::move(value);
  } else {
    entries_.push_back({std::string(key), std::move(value)});
  }
}

std::any* UserValues::find(std::string_view key) {
  const auto found = at(key);
  return found == entries_.end() ? nullptr : &found->value;
}

bool UserValues::remove(std::string_view key) {
  const auto found = at(key);
  if (found == entries_.end()) return false;
  entries_.erase(found);
  return true;
}

void UserValues::clear() {
  while (!entries_.empty()) entries_.pop_back();
}

}  // namespace pipette::server
