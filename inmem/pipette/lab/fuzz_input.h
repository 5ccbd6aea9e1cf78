// FuzzInput: what one input of a fuzzer does, step by step, and its form as text.
//
//   octets  "GET / HTTP/1.1\r\n" ff 02 03 00 00 05 ff 06         text   pipette fuzz 1
//                                                                         send "GET / HTTP/1.1\r\n"
//                                                                         after 5s
//                                                                         finish
//
// For the fuzzer an input is the octets that are sent; 0xff begins a step of another kind (and is itself sent as ff
// ff). So any octets are an input, any request is one that sends itself, and what a fuzzer inserts or takes away shifts
// nothing. The number behind 0xff counts modulo the kinds of steps, operands count modulo what they choose from, and
// what is missing is 0.
//
// For people it is a text: the first line marks it, each line is a step, a line that begins with a quote goes on with
// the send before it, and empty lines and lines that begin with # say nothing.
//
//   send "…"                     octets, with C escapes; everything runs then, before the next step
//   conn 2                       steps are about this connection from here on, 1 ... 8; it is made when it is needed
//   message chunked post         sends a whole message, see kFuzzMessages
//   cut 3                        this connection sends in pieces of three octets from here on; 0: whole
//   after 5s                     virtual time passes: ns, us, ms, s
//   together                     nothing runs between the step before and the one behind
//   finish · reset · close       half-close; abort; close, whatever is unread
//   pause · resume               this end does not read; reads again
//   fault read reset             the next operation of this kind on the tested side fails; "…, sticky": and all later
//   link stall                   what afflicts the links from here on, see kFuzzAfflictions
//   shutdown                     the tested side shuts down
//   choices 01 00 2f             octets that decide what is left open, one after the other: order, short reads …
//
// Errors    from_text() throws BadFuzzText, which quotes the line that is wrong and says what should stand there.
// Bounds    kMaxFuzzSteps steps; the rest of an input does nothing.
// Threads   plain values.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "pipette/base/bytes.h"
#include "pipette/base/time.h"
#include "pipette/inmem/faults.h"
#include "pipette/net/toxics.h"

namespace pipette::lab {

inline constexpr std::size_t kMaxFuzzSteps = 1000;
inline constexpr unsigned kMaxFuzzConnections = 8;
inline constexpr std::string_view kFuzzTextMark = "pipette fuzz 1\n";

struct FuzzMessage {
  std::string_view name;
  std::string_view octets;
};
// Whole messages, requests and responses: what a fuzzer would need long to find.
inline constexpr std::array kFuzzMessages = {
    FuzzMessage{"get", "GET / HTTP/1.1\r\nHost: a\r\n\r\n"},
    FuzzMessage{"head", "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"},
    FuzzMessage{"last get", "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"},
    FuzzMessage{"old get", "GET / HTTP/1.0\r\n\r\n"},
    FuzzMessage{"post", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"},
    FuzzMessage{"chunked post",
                "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nT: x\r\n\r\n"},
    FuzzMessage{"expecting post", "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"},
    FuzzMessage{"options", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"},
    FuzzMessage{"200", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"},
    FuzzMessage{"204", "HTTP/1.1 204 No Content\r\n\r\n"},
    FuzzMessage{"chunked 200", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nT: x\r\n\r\n"},
    FuzzMessage{"200 until close", "HTTP/1.1 200 OK\r\n\r\nhello"},
    FuzzMessage{"last 200", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello"},
    FuzzMessage{"100", "HTTP/1.1 100 Continue\r\n\r\n"},
    FuzzMessage{"304", "HTTP/1.1 304 Not Modified\r\nETag: \"1\"\r\n\r\n"},
};

struct FuzzAffliction {
  std::string_view name;
  net::Toxics toxics;
};
// What "link" may say.
inline const std::array kFuzzAfflictions = {
    FuzzAffliction{"heal", {}},
    FuzzAffliction{"latency", net::Toxics().with_latency(std::chrono::milliseconds(50))},
    FuzzAffliction{"bandwidth", net::Toxics().with_bandwidth(1000)},
    FuzzAffliction{"slicer", net::Toxics().with_slicer(16, 15, std::chrono::milliseconds(1))},
    FuzzAffliction{"stall", net::Toxics().with_stall()},
    FuzzAffliction{"black hole", net::Toxics().with_black_hole()},
    FuzzAffliction{"limit data", net::Toxics().with_limit_data(100)},
    FuzzAffliction{"slow close", net::Toxics().with_slow_close(std::chrono::seconds(1))},
    FuzzAffliction{"reset peer", net::Toxics().with_reset_peer(std::chrono::milliseconds(1))},
    FuzzAffliction{"down", net::Toxics().with_down()},
};

// Text that is marked as an input, and is none.
class BadFuzzText : public std::invalid_argument {
 public:
  using std::invalid_argument::invalid_argument;
};

struct FuzzStep {
  // Their order is that of the octets behind 0xff.
  enum class Verb : std::uint8_t {
    send,  // as octets: ends the send before it
    connection,
    after,
    message,
    cut,
    together,
    finish,
    reset,
    close,
    pause,
    resume,
    fault,
    link,
    shutdown,
    choices,
  };

  Verb verb = Verb::send;
  // Of connection: 1 ... 8; of message and link: an index; of cut: octets; of fault: the oracle's answer.
  unsigned number = 0;
  inmem::Operation operation = inmem::Operation::read;  // of fault
  Duration wait{};                                      // of after
  std::string octets = {};                              // of send and choices

  bool operator==(const FuzzStep&) const = default;
};
inline constexpr unsigned kFuzzVerbs = 15;

class FuzzInput {
 public:
  FuzzInput() = default;
  explicit FuzzInput(std::vector<FuzzStep> steps);
  // Of octets, or of text if they are marked as such.
  static FuzzInput parse(Bytes input);

  const std::vector<FuzzStep>& steps() const { return steps_; }
  // The octets of all its choices.
  std::string choices() const;
  bool has(FuzzStep::Verb verb) const;
  bool operator==(const FuzzInput&) const = default;

  // The shortest octets that mean the same.
  std::string to_octets() const;
  std::string to_text() const;

 private:
  static FuzzInput parse_octets(Bytes octets);
  static FuzzInput parse_text(std::string_view text);
  void add(FuzzStep step);

  std::vector<FuzzStep> steps_;
};

// The same of octets: text for people, and back. from_text(to_text(x)) does what x does, and to_text(from_text(t)) is t
// if to_text() wrote it.
inline std::string to_text(Bytes input) { return FuzzInput::parse(input).to_text(); }
std::string from_text(std::string_view text);

// Changes what stands in `octets`, and may use all of them; how many it has then. LLVMFuzzerMutate, as a rule.
using ChangeOctets = std::function<std::size_t(char* octets, std::size_t size, std::size_t room)>;
// One step of `input`, or its place, changed as `seed` says: at most `room` octets.
std::string mutate(Bytes input, std::size_t room, std::uint64_t seed, const ChangeOctets& change);

}  // namespace pipette::lab
