// UserValues: what an application hangs on a request, such as what one handler found out for the next.
//
//   ctx.set_user_value("user", User{"ada"});
//   if (const User* user = ctx.user_value<User>("user")) …       // null: no such key, or another type
//
// A value is found under its key and its very type: a literal is a const char* and no std::string. What cannot be
// copied goes into a std::shared_ptr. Keys are searched one by one, since there are few of them.
//
// Lifetime  a value dies when its key is set again or removed, and at the end of the exchange, the last key first.
//           Pointers to it are good until then.
// Threads   one.
#pragma once

#include <any>
#include <list>
#include <string>
#include <string_view>
#include <utility>

namespace pipette::server {

class UserValues {
 public:
  UserValues() = default;
  UserValues(const UserValues&) = delete;
  UserValues& operator=(const UserValues&) = delete;
  ~UserValues() { clear(); }

  bool empty() const { return entries_.empty(); }
  // Replaces what that key had.
  void set(std::string_view key, std::any value);
  // Null: none of that key.
  std::any* find(std::string_view key);
  // Whether there was one.
  bool remove(std::string_view key);
  void clear();

  // Calls f(key, value) for each, in the order in which the keys were first set; value is a std::any&. `f` adds and
  // removes none.
  template <class F>
  void for_each(F&& f) {
    for (Entry& entry : entries_) f(std::string_view(entry.key), entry.value);
  }

 private:
  struct Entry {
    std::string key;
    std::any value;
  };

  std::list<Entry>::iterator at(std::string_view key);

  std::list<Entry> entries_;  // whose values stand still
};

}  // namespace pipette::server
