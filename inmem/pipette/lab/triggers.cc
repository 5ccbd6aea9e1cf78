// Messages before the one that counts are passed run by run, and that one octet by octet.

#include "pipette/lab/triggers.h"

#include <utility>

namespace pipette::lab {

MessagePlace MessagePlace::at(Where where, std::uint64_t count) const {
  MessagePlace place = *this;
  place.where_ = where;
  place.count_ = count;
  return place;
}

MessagePlace MessagePlace::asked_with(std::vector<http::Method> methods) const {
  MessagePlace place = *this;
  place.methods_ = std::move(methods);
  return place;
}

bool MessagePlace::is_behind(const Message& message) const {
  const bool is_after = message.number > number_;
  if (message.number < number_) return false;
  switch (where_) {
    case Where::octets:
      return !is_after && message.octets > count_;
    case Where::head_end:
      return is_after || (message.head_bytes > 0 && message.octets > message.head_bytes);
    case Where::data:
      return !is_after && count_ > 0 && message.body_bytes >= count_;
    case Where::end:
      return is_after;
  }
  return false;
}

OnMessage::OnMessage(MessagePlace place) : place_(std::move(place)), follower_(place_.role(), conversation_) {
  for (const http::Method method : place_.methods()) conversation_.unanswered.push_back({method, {}});
}

std::size_t OnMessage::pass(Bytes next) {
  if (has_struck_) return 0;
  std::size_t passed = pass_other_message(next);
  for (; passed < next.size(); ++passed) {
    follower_.follow(next.substr(passed, 1));
    if (!place_.is_behind(follower_.message())) continue;
    has_struck_ = true;
    break;
  }
  return passed;
}

// The messages that certainly end in front of the place.
std::size_t OnMessage::pass_other_message(Bytes next) {
  std::size_t passed = 0;
  while (passed < next.size() && place_.is_later_than(follower_.whole() + 1)) {
    passed += follower_.follow(next.substr(passed)).size;
  }
  return passed;
}

}  // namespace pipette::lab
