// Faults that strike at a place in a message: the third request, after 41 octets.
//
//   OnMessage trigger(on_request(3).after_bytes(41));
//   channel.arm(trigger, net::Toxics().with_reset_peer());       // octet 42 of request 3, and what follows, meets that
//
//   on_request(n)                 its first octet strikes
//   on_request(n).after_bytes(k)  k of its octets pass                on_response(n) …  the same for responses, of
//   on_request(n).after_head()    its head passes                                       which interim ones are some
//   on_request(n).on_body_byte(k) octet k of its body strikes, from 1: of its data, whatever the chunks
//   on_request(n).after_end()     all of it passes
//
// An octet strikes, and not the lack of one: behind the last octet of all nothing does. Nor does a place that the
// message does not have. The octets are followed as in message_follower.h, in one direction only: for responses to
// other than GET it has to be said what was asked.
//
// Lifetime  a trigger outlives the channel it is armed at, or until it strikes.   Threads  one.
#pragma once

#include <cstdint>
#include <vector>

#include "pipette/http/method.h"
#include "pipette/lab/message_follower.h"
#include "pipette/net/channel.h"

namespace pipette::lab {

// A place in the messages of one direction.
class MessagePlace {
 public:
  // In the message of that number, from 1.
  MessagePlace(Role role, std::uint64_t number) : role_(role), number_(number) {}

  MessagePlace after_bytes(std::uint64_t count) const { return at(Where::octets, count); }
  MessagePlace after_head() const { return at(Where::head_end, 0); }
  MessagePlace on_body_byte(std::uint64_t ordinal) const { return at(Where::data, ordinal); }
  MessagePlace after_end() const { return at(Where::end, 0); }
  // The methods of the requests that are answered, in order; of all others GET.
  MessagePlace asked_with(std::vector<http::Method> methods) const;

  Role role() const { return role_; }
  const std::vector<http::Method>& methods() const { return methods_; }
  // Whether the last octet of `message` is behind this place.
  bool is_behind(const Message& message) const;
  // Whether the place is still ahead, in another message.
  bool is_later_than(std::uint64_t number) const { return number_ > number; }

 private:
  enum class Where : std::uint8_t { octets, head_end, data, end };

  MessagePlace at(Where where, std::uint64_t count) const;

  Role role_;
  std::uint64_t number_;
  Where where_ = Where::octets;
  std::uint64_t count_ = 0;
  std::vector<http::Method> methods_;
};

inline MessagePlace on_request(std::uint64_t number) { return {Role::client, number}; }
inline MessagePlace on_response(std::uint64_t number) { return {Role::server, number}; }

class OnMessage final : public net::Trigger {
 public:
  explicit OnMessage(MessagePlace place);

  std::size_t pass(Bytes next) override;
  bool has_struck() const { return has_struck_; }

 private:
  std::size_t pass_other_message(Bytes next);

  MessagePlace place_;
  Conversation conversation_;
  MessageFollower follower_;
  bool has_struck_ = false;
};

}  // namespace pipette::lab
