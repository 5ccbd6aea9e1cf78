// An event that sent something is told by parts, one for each message it has octets of.

#include "pipette/lab/story.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <utility>

#include "pipette/inmem/text.h"
#include "pipette/inmem/transcript.h"
#include "pipette/lab/message_follower.h"

namespace pipette::lab {

// Both directions of one connection, by side.
struct internal::FollowedConnection {
  Conversation conversation;
  std::array<MessageFollower, 2> sides{MessageFollower(Role::client, conversation),
                                       MessageFollower(Role::server, conversation)};
  std::array<bool, 2> has_finished{};
  std::array<bool, 2> has_closed{};
  bool was_reset = false;
};

namespace {

using http::BodyLength;
using inmem::ConnectionFacts;
using inmem::counted;
using inmem::escape;
using inmem::escape_text;
using inmem::Event;
using inmem::EventKind;
using inmem::EventLog;
using inmem::quote;
using internal::FollowedConnection;
using Phase = MessageFollower::Phase;
using Run = MessageFollower::Run;

constexpr std::size_t kShownParts = 4;         // of a line
constexpr std::size_t kShownBodyBytes = 1024;  // of an event, by text_with_octets()

// --- Octets as lines ------------------------------------------------------------------------------------------------

// A line that CR LF ends stands there without it; "\n" is a bare LF, and a lonely "\" the lack of any line end.
void append_line(std::string& text, Bytes line) {
  const bool has_line_end = line.ends_with("\r\n");
  const Bytes content = has_line_end ? line.substr(0, line.size() - 2) : line;
  std::string shown = escape(content);
  if (!has_line_end && !content.ends_with('\n')) shown += '\\';
  if (shown.ends_with(' ')) shown.replace(shown.size() - 1, 1, "\\x20");
  if (!shown.empty()) text += "    " + shown;
  text += '\n';
}

void append_lines(std::string& text, Bytes octets) {
  while (!octets.empty()) {
    const std::size_t line_bytes = std::min(octets.find('\n'), octets.size() - 1) + 1;
    append_line(text, octets.substr(0, line_bytes));
    octets.remove_prefix(line_bytes);
  }
}

// FNV-1a: enough to tell that what is not shown has changed.
std::uint64_t checksum(Bytes octets) {
  std::uint64_t sum = 0xcbf29ce484222325;
  for (const char c : octets) sum = (sum ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return sum;
}

void append_octets(std::string& text, Bytes octets, bool is_head) {
  if (is_head || octets.size() <= kShownBodyBytes) return append_lines(text, octets);
  const Bytes rest = octets.substr(kShownBodyBytes);
  append_lines(text, octets.substr(0, kShownBodyBytes));
  text += "    … and " + counted(rest.size(), "more byte") + ", checksum " + std::to_string(checksum(rest)) + "\n";
}

// --- Messages -------------------------------------------------------------------------------------------------------

// "POST /x", "the response to GET /y".
std::string name_of(const Message& message, Role role) {
  if (role == Role::client) return message.request;
  if (message.request.empty()) return "a response nobody asked for";
  return "the response to " + message.request;
}

std::string_view noun(Role role) { return role == Role::client ? "request" : "response"; }

// Of a message whose head is whole: "13 of 72 body bytes".
std::string body_state(const MessageFollower& follower) {
  const Message& message = follower.message();
  const bool is_whole = follower.whole() >= message.number;
  switch (message.length.kind) {
    case BodyLength::Kind::none:
      return "no body";
    case BodyLength::Kind::exact:
      if (message.length.size == 0) return "no body";
      if (is_whole) return counted(message.body_bytes, "body byte");
      return std::to_string(message.body_bytes) + " of " + counted(message.length.size, "body byte");
    case BodyLength::Kind::chunked:
      return counted(message.body_bytes, "body byte") + " in chunks" + (is_whole ? "" : " so far");
    case BodyLength::Kind::until_close:
      return counted(message.body_bytes, "body byte") + " so far, until close";
  }
  return {};
}

// What one event has of one message.
struct Part {
  Bytes octets;
  std::uint64_t body_bytes = 0;
  bool begins = false;
  bool ends_head = false;
  bool ends = false;

  void add(const Run& run, Bytes next) {
    octets = octets.empty() ? next.substr(0, run.size) : Bytes(octets.data(), octets.size() + run.size);
    body_bytes += run.body_bytes;
    begins |= run.begins;
    ends_head |= run.ends_head;
    ends |= run.ends;
  }
};

std::string tell_head_part(const Part& part, const MessageFollower& follower, bool is_first) {
  const std::string quoted = " " + quote(part.octets);
  if (part.begins && !is_first) return counted(part.octets.size(), "byte") + " of the next" + quoted;
  const std::string more = part.begins ? "byte" : "more byte";
  return counted(part.octets.size(), more) + " of " + std::string(noun(follower.role())) + " " +
         std::to_string(follower.message().number) + quoted;
}

std::string tell_body_part(const Part& part, const MessageFollower& follower) {
  const Message& message = follower.message();
  const std::string name = name_of(message, follower.role());
  if (part.body_bytes == 0) {
    return part.ends ? "the end of " + name : counted(part.octets.size(), "framing byte") + " of " + name;
  }
  std::string text = counted(part.body_bytes, "more body byte") + " of " + name;
  const std::string so_far = std::to_string(message.body_bytes);
  if (message.length.kind == BodyLength::Kind::exact) {
    return text + " (" + so_far + " of " + std::to_string(message.length.size) + ")";
  }
  return text + " (" + so_far + (part.ends ? ", whole)" : " so far)");
}

std::string tell_part(const Part& part, const MessageFollower& follower, bool is_first) {
  const Message& message = follower.message();
  if (part.ends_head) {
    return (part.begins ? "" : "the rest of ") + escape(message.start_line) + " (" + counted(message.fields, "field") +
           ", " + body_state(follower) + ")";
  }
  return message.head_bytes == 0 ? tell_head_part(part, follower, is_first) : tell_body_part(part, follower);
}

std::string tell_opaque(Bytes octets, const MessageFollower& follower) {
  const std::string quoted = counted(octets.size(), "byte") + " " + quote(octets);
  if (follower.phase() == Phase::tunnel) return "tunnel, " + quoted;
  return "not HTTP (" + std::string(follower.why_lost()) + "), " + quoted;
}

std::string join_parts(const std::vector<std::string>& parts) {
  const bool has_all = parts.size() <= kShownParts;
  const std::size_t shown = has_all ? parts.size() : kShownParts - 1;
  std::string text;
  for (std::size_t i = 0; i < shown; ++i) text += (i == 0 ? "" : " + ") + parts[i];
  if (!has_all) text += " + " + std::to_string(parts.size() - shown - 1) + " more + " + parts.back();
  return text;
}

// Also appends the octets as lines, where they are wanted.
std::string tell_sent(MessageFollower& follower, Bytes octets, std::string* lines) {
  std::vector<std::string> parts;
  Part part;
  Bytes shown;  // not yet appended: the run before this one, and those alike in front of it
  bool is_head = false;
  while (!octets.empty()) {
    const Run run = follower.follow(octets);
    const bool is_opaque = run.phase == Phase::tunnel || run.phase == Phase::lost;
    if (is_opaque && !part.octets.empty()) parts.push_back(tell_part(part, follower, parts.empty()));
    if (lines != nullptr && !shown.empty() && is_head != (run.phase == Phase::head)) {
      append_octets(*lines, shown, is_head);
      shown = {};
    }
    is_head = run.phase == Phase::head;
    shown = shown.empty() ? octets.substr(0, run.size) : Bytes(shown.data(), shown.size() + run.size);
    if (is_opaque) {
      parts.push_back(tell_opaque(octets, follower));
    } else {
      part.add(run, octets);
    }
    octets.remove_prefix(run.size);
    if (!is_opaque && (run.ends || octets.empty())) {
      parts.push_back(tell_part(part, follower, parts.empty()));
      part = Part();
    }
  }
  if (lines != nullptr) append_octets(*lines, shown, is_head);
  return join_parts(parts);
}

// --- Events ---------------------------------------------------------------------------------------------------------

// What is kept of a connection may begin in its midst.
std::unique_ptr<FollowedConnection> follow_from(const EventLog& log, const Event& first) {
  auto followed = std::make_unique<FollowedConnection>();
  if (log.dropped() > 0 && first.kind != EventKind::dial) {
    for (MessageFollower& side : followed->sides) side.lose("the log has lost its beginning");
  }
  return followed;
}

// Of an event that has a side.
void take(FollowedConnection& followed, const Event& event) {
  if (event.kind == EventKind::reset) followed.was_reset = true;
  if (event.side >= 2) return;
  if (event.kind == EventKind::closed) followed.has_closed[event.side] = true;
  if (event.kind == EventKind::finished) {
    followed.has_finished[event.side] = true;
    followed.sides[event.side].finish();
  }
}

std::string tell_finished(const MessageFollower& follower) {
  if (follower.phase() == Phase::head) {
    return "FIN, inside the head of " + std::string(noun(follower.role())) + " " +
           std::to_string(follower.message().number);
  }
  if (follower.phase() != Phase::body) return "FIN";
  return "FIN, inside the body of " + name_of(follower.message(), follower.role());
}

// Whether the event is one of those that are told here; the others stand as in any transcript.
bool is_told(const Event& event) {
  return event.connection != 0 && event.side < 2 &&
         (event.kind == EventKind::sent || event.kind == EventKind::finished || event.kind == EventKind::fault);
}

std::string tell(const Event& event, const ConnectionFacts& facts, const MessageFollower& follower,
                 const std::string& sent) {
  std::string text = inmem::format_time(event.time) + "  " + facts.label + "  ";
  const std::string& name = facts.names[event.side];
  if (event.kind == EventKind::fault) return text + "FAULT at " + name + ": " + escape_text(event.octets);
  text += name + " -> " + facts.names[1U - event.side] + "  ";
  return text + (event.kind == EventKind::sent ? sent : tell_finished(follower));
}

// --- Progress -------------------------------------------------------------------------------------------------------

class Progress {
 public:
  Progress(const FollowedConnection& followed, const ConnectionFacts& facts)
      : followed_(followed), client_(facts.names[0]), server_(facts.names[1]) {}

  std::string describe() {
    if (followed_.conversation.is_tunnel) {
      add("a tunnel");
    } else {
      describe_requests();
      describe_unanswered();
      describe_responses();
      if (text_.empty()) describe_idle();
    }
    describe_ends();
    return std::move(text_);
  }

 private:
  const MessageFollower& requests() const { return followed_.sides[0]; }
  const MessageFollower& responses() const { return followed_.sides[1]; }
  // The request that is being sent; 0: none.
  std::uint64_t unfinished() const { return requests().phase() == Phase::idle ? 0 : requests().message().number; }

  void add(const std::string& clause) {
    if (!text_.empty()) text_ += "; ";
    text_ += clause;
  }

  void describe_lost(const std::string& name, const MessageFollower& follower) {
    add("what " + name + " sends is not followed: " + std::string(follower.why_lost()));
  }

  void describe_requests() {
    const Message& message = requests().message();
    if (requests().phase() == Phase::lost) return describe_lost(client_, requests());
    if (requests().phase() == Phase::head) {
      add(server_ + " waits for the rest of the head of request " + std::to_string(message.number));
      add(client_ + " has sent " + counted(message.octets, "byte") + " of it");
    }
    if (requests().phase() == Phase::body) describe_request_body(message);
  }

  void describe_request_body(const Message& message) {
    const std::string sent = client_ + " has sent " + std::to_string(message.body_bytes);
    const bool is_chunked = message.length.kind == BodyLength::Kind::chunked;
    const std::string of_all = is_chunked ? " in chunks" : " of " + std::to_string(message.length.size);
    if (followed_.conversation.answered >= message.number) {
      return add(sent + of_all + " body bytes of " + message.request + ", which has its response already");
    }
    const std::string missing =
        is_chunked ? "more of the chunked body" : counted(message.missing_bytes(), "more body byte");
    add(server_ + " waits for " + missing + " of " + message.request);
    add(sent + of_all);
  }

  void describe_unanswered() {
    const Conversation& conversation = followed_.conversation;
    const std::uint64_t first = conversation.answered + 1;
    const bool is_in_body = requests().phase() == Phase::body;
    const std::uint64_t last = is_in_body ? unfinished() - 1 : conversation.asked;
    if (responses().phase() == Phase::lost || first > last) return;
    const std::string numbers =
        first == last ? "request " + std::to_string(first) + ", " + conversation.unanswered.front().name + ", has"
                      : "requests " + std::to_string(first) + " to " + std::to_string(last) + " have";
    const bool has_begun = responses().phase() == Phase::head;
    add(numbers + " been sent whole" + (has_begun ? "" : "; no response yet"));
  }

  void describe_responses() {
    const Message& message = responses().message();
    switch (responses().phase()) {
      case Phase::lost:
        return describe_lost(server_, responses());
      case Phase::head:
        return add(server_ + " has sent " + counted(message.octets, "byte") + " of the head of response " +
                   std::to_string(message.number));
      case Phase::body:
        return describe_response_body(message);
      case Phase::idle:
        if (message.is_interim()) add(server_ + " has sent " + escape(message.start_line) + " only");
        return;
      case Phase::tunnel:
        return;
    }
  }

  void describe_response_body(const Message& message) {
    std::string clause = server_ + " has sent " + std::to_string(message.body_bytes);
    const BodyLength::Kind kind = message.length.kind;
    if (kind == BodyLength::Kind::exact) clause += " of " + std::to_string(message.length.size);
    clause += " body bytes of " + escape(name_of(message, Role::server));
    if (kind == BodyLength::Kind::chunked) clause += ", and not the last chunk";
    if (kind == BodyLength::Kind::until_close) clause += ", which lasts until it closes";
    add(clause);
  }

  void describe_idle() {
    const std::uint64_t exchanges = followed_.conversation.answered;
    add(exchanges == 0 ? "nothing was sent" : "idle after " + counted(exchanges, "exchange"));
  }

  void describe_ends() {
    if (followed_.was_reset) return add("the connection was reset");
    for (std::size_t side = 0; side < 2; ++side) {
      const std::string& name = side == 0 ? client_ : server_;
      if (followed_.has_closed[side]) {
        add(name + " has closed");
      } else if (followed_.has_finished[side]) {
        add(name + " has finished sending");
      }
    }
  }

  const FollowedConnection& followed_;
  const std::string& client_;
  const std::string& server_;
  std::string text_;
};

void follow_octets(MessageFollower& follower, Bytes octets) {
  while (!octets.empty()) octets.remove_prefix(follower.follow(octets).size);
}

}  // namespace

// --- Story ----------------------------------------------------------------------------------------------------------

Story::Story(const EventLog& log) : log_(&log), connections_(log.connections() + 1) {}

Story::~Story() = default;

bool Story::has_next() const { return at_ < log_->size(); }

std::string Story::next() { return next_line(nullptr); }

std::string Story::next_with_octets() {
  std::string octets;
  std::string line = next_line(&octets) + "\n";
  return line + octets;
}

std::string Story::next_line(std::string* octets) {
  assert(has_next());
  const Event event = (*log_)[at_++];
  if (event.connection == 0) return escape_text(inmem::line(*log_, event));
  FollowedConnection& followed = this->followed(event);
  take(followed, event);
  if (!is_told(event)) return escape_text(inmem::line(*log_, event));
  MessageFollower& follower = followed.sides[event.side];
  const std::string sent = event.kind == EventKind::sent ? tell_sent(follower, event.octets, octets) : std::string();
  return tell(event, log_->connection(event.connection), follower, sent);
}

internal::FollowedConnection& Story::followed(const Event& event) {
  if (event.connection >= connections_.size()) connections_.resize(event.connection + 1);
  std::unique_ptr<FollowedConnection>& followed = connections_[event.connection];
  if (!followed) followed = follow_from(*log_, event);
  return *followed;
}

void Story::skip_to(std::size_t index) {
  while (at_ < index) {
    const Event event = (*log_)[at_++];
    if (event.connection == 0) continue;
    FollowedConnection& followed = this->followed(event);
    take(followed, event);
    if (event.kind == EventKind::sent && event.side < 2) follow_octets(followed.sides[event.side], event.octets);
  }
}

namespace {

std::string dropped_line(const EventLog& log) {
  if (log.dropped() == 0) return {};
  return "… " + counted(log.dropped(), "earlier event") + " dropped\n";
}

// The lines of the last `count` events, and how many there were before.
std::vector<std::string> last_lines(const EventLog& log, std::size_t count, std::uint64_t& earlier) {
  const std::size_t first = log.size() - std::min(count, log.size());
  earlier = log.dropped() + first;
  Story story(log);
  story.skip_to(first);
  std::vector<std::string> lines;
  while (story.has_next()) lines.push_back("  " + story.next() + "\n");
  return lines;
}

std::string earlier_line(std::uint64_t earlier) {
  return earlier == 0 ? std::string() : "  … " + counted(earlier, "earlier event") + "\n";
}

}  // namespace

std::string text(const EventLog& log) {
  std::string text = dropped_line(log);
  for (Story story(log); story.has_next();) text += story.next() + "\n";
  return text;
}

std::string text_with_octets(const EventLog& log) {
  std::string text = dropped_line(log);
  for (Story story(log); story.has_next();) text += story.next_with_octets();
  return text;
}

std::string tail(const EventLog& log, std::size_t count) {
  std::uint64_t earlier = 0;
  const std::vector<std::string> lines = last_lines(log, count, earlier);
  std::string text = earlier_line(earlier);
  for (const std::string& line : lines) text += line;
  return text;
}

std::string last_first(const EventLog& log, std::size_t count) {
  std::uint64_t earlier = 0;
  std::vector<std::string> lines = last_lines(log, count, earlier);
  std::ranges::reverse(lines);
  std::string text;
  for (const std::string& line : lines) text += line;
  return text + earlier_line(earlier);
}

std::string describe_progress(const EventLog& log, std::uint32_t connection) {
  std::unique_ptr<FollowedConnection> followed;
  for (std::size_t i = 0; i < log.size(); ++i) {
    const Event event = log[i];
    if (event.connection != connection) continue;
    if (!followed) followed = follow_from(log, event);
    take(*followed, event);
    if (event.kind == EventKind::sent && event.side < 2) follow_octets(followed->sides[event.side], event.octets);
  }
  if (!followed) return "nothing is known of it";
  return Progress(*followed, log.connection(connection)).describe();
}

}  // namespace pipette::lab
