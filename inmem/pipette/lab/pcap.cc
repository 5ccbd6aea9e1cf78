// Three steps: Capture makes segments and comments of events, place_comments() puts the ones on the others, and
// PcapngWriter makes octets of both.

#include "pipette/lab/pcap.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pipette/base/errc.h"
#include "pipette/base/ipv4.h"
#include "pipette/inmem/text.h"
#include "pipette/net/address.h"

namespace pipette::lab {
namespace {

using inmem::ConnectionFacts;
using inmem::Event;
using inmem::EventKind;
using inmem::EventLog;

constexpr std::size_t kMaxPayloadBytes = 1460;  // a segment in an Ethernet frame
constexpr std::size_t kMaxCommentBytes = 1000;
constexpr std::size_t kMaxComments = 100;
constexpr std::uint16_t kFirstDynamicPort = 49152;
constexpr std::uint16_t kAcceptPort = 80;

// RFC 9293 §3.1
constexpr std::uint8_t kFin = 0x01;
constexpr std::uint8_t kSyn = 0x02;
constexpr std::uint8_t kRst = 0x04;
constexpr std::uint8_t kPsh = 0x08;
constexpr std::uint8_t kAck = 0x10;

std::string printable(Bytes text) {
  std::string clean(text.substr(0, kMaxCommentBytes));
  std::ranges::replace_if(clean, [](char c) { return c < 0x20 || c > 0x7e; }, '.');
  if (text.size() > kMaxCommentBytes) clean += "...";
  return clean;
}

// ---- from events to segments -----------------------------------------------------------------------------

struct Endpoint {
  Ipv4 ip{};
  std::uint16_t port = 0;
};

struct Flow {
  enum class State { unseen, open, reset };
  struct Side {
    Endpoint endpoint;
    std::uint32_t next = 0;      // sequence number of what it sends next
    std::uint32_t expected = 0;  // of what it expects from the other side: its acknowledgement
    std::uint32_t acknowledged = 0;
    bool is_finished = false;
    bool takes_time = false;  // the log tells when its octets arrive
  };

  State state = State::unseen;
  std::array<Side, 2> sides;
  std::vector<std::size_t> segments;
};

struct Segment {
  TimePoint time{};
  std::size_t flow = 0;
  std::uint8_t side = 0;
  std::uint8_t flags = 0;
  std::uint32_t sequence = 0;
  std::uint32_t acknowledgement = 0;
  Bytes payload;
};

struct Comment {
  TimePoint time{};
  std::size_t flow = 0;
  std::size_t position = 0;  // how many segments there were before it
  std::string text;
};

constexpr std::size_t kNoFlow = SIZE_MAX;

// Addresses for those who have none: 198.18.0.0/15 is set aside for networks that are not real (RFC 2544).
class MadeUpAddresses {
 public:
  Ipv4 of(const std::string& name) {
    const auto number = static_cast<std::uint32_t>(numbers_.try_emplace(name, numbers_.size() + 1).first->second);
    return {198, static_cast<std::uint8_t>(18 + (number >> 16 & 1)), static_cast<std::uint8_t>(number >> 8),
            static_cast<std::uint8_t>(number)};
  }

 private:
  std::map<std::string, std::size_t> numbers_;
};

class Capture {
 public:
  explicit Capture(const EventLog& log);

  const std::vector<Flow>& flows() const { return flows_; }
  const std::vector<Segment>& segments() const { return segments_; }
  const std::vector<Comment>& comments() const { return comments_; }

 private:
  std::size_t add_flow(Endpoint first, Endpoint second);
  Endpoint endpoint(const std::string& address, const std::string& name, std::uint16_t port);
  Endpoint endpoint_in(std::string_view words, std::uint16_t port);
  void add(const Event& event);
  void refuse(const Event& event);
  void comment(const Event& event);
  std::string describe(const Event& event) const;

  void shake_hands(std::size_t flow);
  void send(std::size_t flow, std::uint8_t side, Bytes octets);
  void receive(std::size_t flow, std::uint8_t sender, std::uint64_t count);
  void finish(std::size_t flow, std::uint8_t side);
  void close(std::size_t flow, std::uint8_t side);
  void reset(std::size_t flow, std::uint8_t side);
  void arrived_at_once(std::size_t flow, std::uint8_t sender);
  void acknowledge(std::size_t flow, std::uint8_t side);
  void emit(std::size_t flow, std::uint8_t side, std::uint8_t flags, Bytes payload = {});

  const EventLog& log_;
  TimePoint now_{};
  MadeUpAddresses made_up_;
  std::vector<Flow> flows_;  // those of the connections first, in their order; then dials that got nowhere
  std::vector<Segment> segments_;
  std::vector<Comment> comments_;
};

Capture::Capture(const EventLog& log) : log_(log) {
  for (std::size_t i = 0; i < log.connections(); ++i) {
    const auto number = static_cast<std::uint32_t>(i + 1);
    const ConnectionFacts& facts = log.connection(number);
    const auto dynamic_port = static_cast<std::uint16_t>(kFirstDynamicPort + i % (65536 - kFirstDynamicPort));
    const Endpoint first = endpoint(facts.addresses[0], facts.names[0], dynamic_port);
    const Endpoint second = endpoint(facts.addresses[1], facts.names[1], kAcceptPort);
    add_flow(first, second);
  }
  for (std::size_t i = 0; i < log.size(); ++i) {
    const Event event = log[i];
    const bool is_sending = event.kind == EventKind::sent || event.kind == EventKind::finished;
    if (is_sending && event.connection != 0 && event.connection <= log.connections()) {
      flows_[event.connection - 1].sides[event.side == 1 ? 1 : 0].takes_time = event.takes_time;
    }
    add(event);
  }
}

std::size_t Capture::add_flow(Endpoint first, Endpoint second) {
  Flow& flow = flows_.emplace_back();
  const auto start = static_cast<std::uint32_t>(flows_.size() * 1'000'003);  // differs where a port is used again
  flow.sides[0] = {first, start, start, start};
  flow.sides[1] = {second, start, start, start};
  return flows_.size() - 1;
}

Endpoint Capture::endpoint(const std::string& address, const std::string& name, std::uint16_t port) {
  const Result<net::Address> parsed = net::Address::parse(address);
  if (parsed && parsed->kind() != net::Address::Kind::unix_path && parsed->port() != 0) port = parsed->port();
  if (parsed && parsed->kind() == net::Address::Kind::ipv4) {
    const auto& ip = parsed->ip();
    return {{ip[0], ip[1], ip[2], ip[3]}, port};
  }
  return {made_up_.of(name.empty() ? address : name), port};
}

// The address among some words, "app:80 10.0.1.1:80", or one made up for the first of them.
Endpoint Capture::endpoint_in(std::string_view words, std::uint16_t port) {
  std::string name;
  while (!words.empty()) {
    const std::size_t end = std::min(words.find(' '), words.size());
    std::string word(words.substr(0, end));
    words.remove_prefix(std::min(end + 1, words.size()));
    while (word.ends_with(':') || word.ends_with(',')) word.pop_back();
    const Result<net::Address> parsed = net::Address::parse(word);
    if (parsed && parsed->kind() == net::Address::Kind::ipv4) return endpoint(word, word, port);
    if (name.empty()) name = word;
  }
  const std::string host = name.substr(0, name.find(':'));
  return endpoint(name, host.empty() ? name : host, port);
}

void Capture::add(const Event& event) {
  now_ = event.time;
  const std::size_t flow =
      event.connection == 0 || event.connection > log_.connections() ? kNoFlow : event.connection - 1;
  const std::uint8_t side = event.side == 1 ? 1 : 0;
  if (event.kind == EventKind::refused) return refuse(event);
  if (flow != kNoFlow) {
    switch (event.kind) {
      case EventKind::dial:
        shake_hands(flow);
        break;
      case EventKind::sent:
        send(flow, side, event.octets);
        break;
      case EventKind::received:
        receive(flow, side, event.count);
        break;
      case EventKind::finished:
        finish(flow, side);
        break;
      case EventKind::closed:
        close(flow, side);
        break;
      case EventKind::reset:
        reset(flow, side);
        break;
      default:
        break;
    }
  }
  comment(event);
}

// A dial that failed has no connection, only a text: "client 10.0.0.1:49152 -> app:80 10.0.1.1:80: why".
void Capture::refuse(const Event& event) {
  const std::string_view text = event.octets;
  const bool got_nowhere = text.contains(make_error_code(Errc::host_not_found).message());
  std::size_t flow = kNoFlow;
  if (event.connection != 0 && event.connection <= log_.connections()) {
    flow = event.connection - 1;
  } else if (const std::size_t arrow = text.find(" -> "); arrow != std::string_view::npos && !got_nowhere) {
    const auto dynamic_port = static_cast<std::uint16_t>(kFirstDynamicPort + flows_.size() % 16384);
    const Endpoint from = endpoint_in(text.substr(0, arrow), dynamic_port);
    const Endpoint to = endpoint_in(text.substr(arrow + 4), kAcceptPort);
    flow = add_flow(from, to);
  }
  if (flow != kNoFlow) {
    if (flows_[flow].state == Flow::State::unseen) emit(flow, 0, kSyn);
    if (!text.contains(make_error_code(Errc::timed_out).message())) {
      flows_[flow].sides[1].expected = flows_[flow].sides[0].next;
      emit(flow, 1, kRst | kAck);
    }
    flows_[flow].state = Flow::State::reset;
  }
  Event placed = event;
  placed.connection = flow == kNoFlow ? 0 : static_cast<std::uint32_t>(flow + 1);
  comment(placed);
}

void Capture::comment(const Event& event) {
  const std::string what = describe(event);
  if (what.empty()) return;
  const std::size_t flow = event.connection == 0 || event.connection > flows_.size() ? kNoFlow : event.connection - 1;
  comments_.push_back({event.time, flow, segments_.size(), inmem::format_time(event.time) + " " + what});
}

// What a packet cannot say; empty for events that packets tell.
std::string Capture::describe(const Event& event) const {
  const bool has_side = event.connection != 0 && event.connection <= log_.connections() && event.side < 2;
  const std::string who = has_side ? printable(log_.connection(event.connection).names[event.side]) + ": " : "";
  const std::string text = printable(event.octets);
  switch (event.kind) {
    case EventKind::note:
    case EventKind::fault:
    case EventKind::link:
    case EventKind::refused:
    case EventKind::accept_failed:
      return std::string(to_string(event.kind)) + ": " + text;
    case EventKind::reset:
      return text.empty() ? "" : "reset: " + text;
    case EventKind::timed_out:
      return who + text + (text.empty() ? "timed out" : " timed out");
    default:
      return "";
  }
}

// ---- TCP ---------------------------------------------------------------------------------------------------

void Capture::shake_hands(std::size_t flow) {
  if (flows_[flow].state != Flow::State::unseen) return;
  flows_[flow].state = Flow::State::open;
  emit(flow, 0, kSyn);
  flows_[flow].sides[1].expected = flows_[flow].sides[0].next;
  emit(flow, 1, kSyn | kAck);
  flows_[flow].sides[0].expected = flows_[flow].sides[1].next;
  emit(flow, 0, kAck);
}

void Capture::send(std::size_t flow, std::uint8_t side, Bytes octets) {
  while (!octets.empty()) {
    const Bytes payload = octets.substr(0, kMaxPayloadBytes);
    octets.remove_prefix(payload.size());
    const std::uint8_t push = octets.empty() ? kPsh : 0;
    emit(flow, side, kAck | push, payload);
  }
  arrived_at_once(flow, side);
}

void Capture::receive(std::size_t flow, std::uint8_t sender, std::uint64_t count) {
  const Flow::Side& from = flows_[flow].sides[sender];
  Flow::Side& to = flows_[flow].sides[1 - sender];
  const std::uint32_t outstanding = from.next - to.expected;
  const std::uint32_t fin = from.is_finished && outstanding > 0 ? 1 : 0;
  const std::uint32_t octets = outstanding - fin;
  if (octets == 0) {
    to.expected += fin;  // an arrival of nothing: that of the end
  } else {
    to.expected += static_cast<std::uint32_t>(std::min<std::uint64_t>(count, octets));
  }
  acknowledge(flow, 1 - sender);
}

void Capture::finish(std::size_t flow, std::uint8_t side) {
  if (flows_[flow].state == Flow::State::reset || flows_[flow].sides[side].is_finished) return;
  emit(flow, side, kFin | kAck);
  flows_[flow].sides[side].is_finished = true;
  arrived_at_once(flow, side);
}

// Who closes has seen the end of what the other side sent, if all of it has arrived.
void Capture::close(std::size_t flow, std::uint8_t side) {
  finish(flow, side);
  const std::uint8_t other = 1 - side;
  const std::uint32_t outstanding = flows_[flow].sides[other].next - flows_[flow].sides[side].expected;
  if (flows_[flow].sides[other].is_finished && outstanding == 1) receive(flow, other, 0);
}

void Capture::reset(std::size_t flow, std::uint8_t side) {
  if (flows_[flow].state == Flow::State::reset) return;
  emit(flow, side, kRst | kAck);
  flows_[flow].state = Flow::State::reset;
}

void Capture::arrived_at_once(std::size_t flow, std::uint8_t sender) {
  if (flows_[flow].sides[sender].takes_time || flows_[flow].state == Flow::State::reset) return;
  flows_[flow].sides[1 - sender].expected = flows_[flow].sides[sender].next;
  acknowledge(flow, 1 - sender);
}

void Capture::acknowledge(std::size_t flow, std::uint8_t side) {
  const Flow::Side& self = flows_[flow].sides[side];
  if (flows_[flow].state != Flow::State::reset && self.acknowledged != self.expected) emit(flow, side, kAck);
}

void Capture::emit(std::size_t flow, std::uint8_t side, std::uint8_t flags, Bytes payload) {
  Flow& of = flows_[flow];
  if (of.state == Flow::State::unseen) of.state = Flow::State::open;
  Flow::Side& self = of.sides[side];
  of.segments.push_back(segments_.size());
  segments_.push_back({now_, flow, side, flags, self.next, (flags & kAck) != 0 ? self.expected : 0, payload});
  self.acknowledged = self.expected;
  self.next += static_cast<std::uint32_t>(payload.size()) + ((flags & (kSyn | kFin)) != 0 ? 1 : 0);
}

// ---- comments on segments ----------------------------------------------------------------------------------

// Which segment each comment stands on: the nearest in time, the earlier of two; kNowhere without any.
constexpr std::size_t kNowhere = SIZE_MAX;
using PlacedComments = std::multimap<std::size_t, const Comment*>;

template <class IndexAt>
std::size_t nearest(const Capture& capture, const Comment& comment, std::size_t next, std::size_t size,
                    IndexAt index_at) {
  if (size == 0) return kNowhere;
  if (next == size) return index_at(size - 1);
  if (next == 0) return index_at(0);
  const Duration since = comment.time - capture.segments()[index_at(next - 1)].time;
  const Duration until = capture.segments()[index_at(next)].time - comment.time;
  return index_at(until < since ? next : next - 1);
}

PlacedComments place_comments(const Capture& capture) {
  PlacedComments placed;
  for (const Comment& comment : capture.comments()) {
    std::size_t at = kNowhere;
    if (comment.flow != kNoFlow) {
      const std::vector<std::size_t>& own = capture.flows()[comment.flow].segments;
      const auto next = static_cast<std::size_t>(std::ranges::lower_bound(own, comment.position) - own.begin());
      at = nearest(capture, comment, next, own.size(), [&](std::size_t i) { return own[i]; });
    }
    if (at == kNowhere) {
      const std::size_t all = capture.segments().size();
      at = nearest(capture, comment, comment.position, all, [](std::size_t i) { return i; });
    }
    placed.emplace(at, &comment);
  }
  return placed;
}

std::vector<std::string> comments_on(const PlacedComments& placed, std::size_t segment) {
  std::vector<std::string> texts;
  const auto [begin, end] = placed.equal_range(segment);
  std::size_t left_out = 0;
  for (auto it = begin; it != end; ++it) {
    if (texts.size() < kMaxComments) {
      texts.push_back(it->second->text);
    } else {
      ++left_out;
    }
  }
  if (left_out > 0) texts.push_back(std::to_string(left_out) + " more are left out");
  return texts;
}

// ---- octets --------------------------------------------------------------------------------------------------

// Wire formats are big-endian; pcapng is whatever its writer says, and says little-endian here.
void append_big(std::string& out, std::uint64_t value, int octets) {
  for (int shift = 8 * (octets - 1); shift >= 0; shift -= 8) out += static_cast<char>(value >> shift & 0xff);
}
void append_little(std::string& out, std::uint64_t value, int octets) {
  for (int shift = 0; shift < 8 * octets; shift += 8) out += static_cast<char>(value >> shift & 0xff);
}

// RFC 1071: the sum of 16-bit words, on top of what was summed before.
std::uint32_t sum_words(std::uint32_t sum, Bytes octets) {
  for (std::size_t i = 0; i < octets.size(); i += 2) {
    sum += static_cast<std::uint32_t>(static_cast<std::uint8_t>(octets[i])) << 8;
    if (i + 1 < octets.size()) sum += static_cast<std::uint8_t>(octets[i + 1]);
  }
  return sum;
}
std::uint16_t checksum(std::uint32_t sum) {
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}
void store_checksum(std::string& octets, std::size_t at, std::uint16_t value) {
  octets[at] = static_cast<char>(value >> 8);
  octets[at + 1] = static_cast<char>(value & 0xff);
}

void append_ip(std::string& out, const Ipv4& ip) {
  for (const std::uint8_t octet : ip) out += static_cast<char>(octet);
}

// RFC 9293 §3.1. A SYN announces segments of 1,460 octets and windows counted in 2^14 (RFC 7323): none is ever full.
std::string tcp_segment(const Segment& segment, const Endpoint& from, const Endpoint& to) {
  const bool is_syn = (segment.flags & kSyn) != 0;
  std::string octets;
  append_big(octets, from.port, 2);
  append_big(octets, to.port, 2);
  append_big(octets, segment.sequence, 4);
  append_big(octets, segment.acknowledgement, 4);
  append_big(octets, is_syn ? 0x70 : 0x50, 1);
  append_big(octets, segment.flags, 1);
  append_big(octets, (segment.flags & kRst) != 0 ? 0 : 0xffff, 2);
  append_big(octets, 0, 4);  // checksum, urgent pointer
  if (is_syn) {
    append_big(octets, 0x02040000 | kMaxPayloadBytes, 4);
    append_big(octets, 0x0103030e, 4);
  }
  octets += segment.payload;

  std::string pseudo_header;
  append_ip(pseudo_header, from.ip);
  append_ip(pseudo_header, to.ip);
  append_big(pseudo_header, 6, 2);
  append_big(pseudo_header, octets.size(), 2);
  store_checksum(octets, 16, checksum(sum_words(sum_words(0, pseudo_header), octets)));
  return octets;
}

// RFC 791 §3.1: never fragmented, 64 hops.
std::string ip_packet(const Segment& segment, const Flow& flow, std::size_t number) {
  const Endpoint& from = flow.sides[segment.side].endpoint;
  const Endpoint& to = flow.sides[1 - segment.side].endpoint;
  const std::string tcp = tcp_segment(segment, from, to);
  std::string octets;
  append_big(octets, 0x4500, 2);
  append_big(octets, 20 + tcp.size(), 2);
  append_big(octets, number & 0xffff, 2);
  append_big(octets, 0x4000, 2);
  append_big(octets, 0x4006, 2);
  append_big(octets, 0, 2);
  append_ip(octets, from.ip);
  append_ip(octets, to.ip);
  store_checksum(octets, 10, checksum(sum_words(0, octets)));
  return octets + tcp;
}

class PcapngWriter {
 public:
  PcapngWriter(std::ostream& out, WallTime start) : out_(out), start_(start) {}

  void section(std::vector<std::string> comments) {
    std::string body;
    append_little(body, 0x1a2b3c4d, 4);
    append_little(body, 1, 2);
    append_little(body, 0, 2);
    append_little(body, UINT64_MAX, 8);  // its length is not said
    for (const std::string& comment : comments) append_option(body, kComment, comment);
    append_option(body, 4, "Pipette");
    append_option(body, 0, "");
    block(0x0a0d0d0a, body);
  }

  void interface() {
    std::string body;
    append_little(body, 101, 2);  // LINKTYPE_RAW
    append_little(body, 0, 2);
    append_little(body, 0, 4);  // packets of any length
    append_option(body, 2, "world");
    append_option(body, 9, "\x09");  // if_tsresol: nanoseconds
    append_option(body, 0, "");
    block(1, body);
  }

  // For what was secured: the lines of a key log (SSLKEYLOGFILE).
  void secrets(Bytes lines) {
    constexpr std::uint32_t kTlsKeyLog = 0x544c534b;
    std::string body;
    append_little(body, kTlsKeyLog, 4);
    append_little(body, lines.size(), 4);
    append_padded(body, lines);
    block(10, body);
  }

  void names(const std::map<Ipv4, std::string>& names) {
    std::string body;
    for (const auto& [ip, name] : names) {
      std::string record;
      append_ip(record, ip);
      record += name;
      record += '\0';
      append_option(body, 1, record);
    }
    append_option(body, 0, "");
    block(4, body);
  }

  void packet(TimePoint time, Bytes octets, const std::vector<std::string>& comments) {
    const Duration since_epoch = (start_ + time.time_since_epoch()).time_since_epoch();
    const auto nanoseconds = static_cast<std::uint64_t>(std::max(since_epoch, Duration::zero()).count());
    std::string body;
    append_little(body, 0, 4);  // interface
    append_little(body, nanoseconds >> 32, 4);
    append_little(body, nanoseconds & 0xffffffff, 4);
    append_little(body, octets.size(), 4);
    append_little(body, octets.size(), 4);
    append_padded(body, octets);
    for (const std::string& comment : comments) append_option(body, kComment, comment);
    if (!comments.empty()) append_option(body, 0, "");
    block(6, body);
  }

 private:
  static constexpr std::uint16_t kComment = 1;

  static void append_padded(std::string& out, Bytes octets) {
    out += octets;
    out.append((4 - octets.size() % 4) % 4, '\0');
  }
  static void append_option(std::string& out, std::uint16_t code, Bytes value) {
    append_little(out, code, 2);
    append_little(out, value.size(), 2);
    append_padded(out, value);
  }
  void block(std::uint32_t type, Bytes body) {
    std::string octets;
    append_little(octets, type, 4);
    append_little(octets, body.size() + 12, 4);
    octets += body;
    append_little(octets, body.size() + 12, 4);
    out_.write(octets.data(), static_cast<std::streamsize>(octets.size()));
  }

  std::ostream& out_;
  WallTime start_;
};

// Of the hosts, cut to what is a name (RFC 1035 §2.3.4); the first that an address had.
std::map<Ipv4, std::string> host_names(const EventLog& log, const Capture& capture) {
  std::map<Ipv4, std::string> names;
  for (std::size_t i = 0; i < log.connections(); ++i) {
    const ConnectionFacts& facts = log.connection(static_cast<std::uint32_t>(i + 1));
    for (std::size_t side = 0; side < 2; ++side) {
      const std::string name = printable(facts.names[side]).substr(0, 255);
      if (!name.empty()) names.try_emplace(capture.flows()[i].sides[side].endpoint.ip, name);
    }
  }
  return names;
}

std::string key_log(const EventLog& log) {
  std::string lines;
  for (std::size_t i = 0; i < log.size(); ++i) {
    if (log[i].kind == EventKind::keys) lines.append(log[i].octets).append("\n");
  }
  return lines;
}

}  // namespace

void write_pcapng(const EventLog& log, std::ostream& out, WallTime start) {
  const Capture capture(log);
  const PlacedComments placed = place_comments(capture);

  std::vector<std::string> about{"log " + log.hash()};
  if (log.dropped() > 0) about.push_back(std::to_string(log.dropped()) + " earlier events were dropped by the log");
  const std::vector<std::string> homeless = comments_on(placed, kNowhere);
  about.insert(about.end(), homeless.begin(), homeless.end());

  PcapngWriter writer(out, start);
  writer.section(std::move(about));
  writer.interface();
  const std::map<Ipv4, std::string> names = host_names(log, capture);
  if (!names.empty()) writer.names(names);
  if (const std::string keys = key_log(log); !keys.empty()) writer.secrets(keys);
  for (std::size_t i = 0; i < capture.segments().size(); ++i) {
    const Segment& segment = capture.segments()[i];
    writer.packet(segment.time, ip_packet(segment, capture.flows()[segment.flow], i), comments_on(placed, i));
  }
}

}  // namespace pipette::lab
