#include "pipette/lab/fuzz_input.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "pipette/base/ascii.h"
#include "pipette/base/random.h"
#include "pipette/inmem/text.h"

namespace pipette::lab {
namespace {

using Verb = FuzzStep::Verb;
using inmem::Operation;

constexpr char kEscape = '\xff';

struct VerbRow {
  Verb verb;
  std::string_view name;
  std::size_t operand_bytes;
};

constexpr std::array<VerbRow, kFuzzVerbs> kVerbs = {{
    {Verb::send, "send", 0},
    {Verb::connection, "conn", 1},
    {Verb::after, "after", 4},
    {Verb::message, "message", 1},
    {Verb::cut, "cut", 1},
    {Verb::together, "together", 0},
    {Verb::finish, "finish", 0},
    {Verb::reset, "reset", 0},
    {Verb::close, "close", 0},
    {Verb::pause, "pause", 0},
    {Verb::resume, "resume", 0},
    {Verb::fault, "fault", 2},
    {Verb::link, "link", 1},
    {Verb::shutdown, "shutdown", 0},
    {Verb::choices, "choices", 1},
}};

constexpr bool stands_in_order() {
  for (std::size_t i = 0; i < kVerbs.size(); ++i) {
    if (std::to_underlying(kVerbs[i].verb) != i) return false;
  }
  return true;
}
static_assert(stands_in_order());

const VerbRow& row(Verb verb) { return kVerbs[std::to_underlying(verb)]; }

// ---- what operands choose from

struct Unit {
  std::string_view name;
  Duration length;
};

constexpr std::array kUnits = {
    Unit{"ns", std::chrono::nanoseconds(1)},
    Unit{"us", std::chrono::microseconds(1)},
    Unit{"ms", std::chrono::milliseconds(1)},
    Unit{"s", std::chrono::seconds(1)},
};
constexpr std::uint64_t kMaxUnits = 0xff'ffff;
constexpr Duration kMaxWait = std::chrono::hours(1);

// So many of a unit, the largest that fits.
struct Amount {
  std::size_t unit = 0;
  std::uint64_t count = 0;
};

Amount amount_of(Duration wait) {
  std::size_t unit = kUnits.size() - 1;
  while (unit > 0 && wait % kUnits[unit].length != Duration(0)) --unit;
  return {unit, static_cast<std::uint64_t>(wait / kUnits[unit].length)};
}

// The one that drives the lab, step, is no operation of the network.
constexpr std::array kFaulty = {Operation::read, Operation::write,  Operation::close_write,
                                Operation::dial, Operation::accept, Operation::resolve};

std::string describe_fault(Operation operation, unsigned answer) {
  const std::span<const inmem::Fault> faults = inmem::faults_of(operation);
  std::string text(inmem::to_string(operation));
  text += " ";
  text += inmem::to_string(faults[(answer - 1) % faults.size()]);
  return answer > faults.size() ? text + ", sticky" : text;
}

// ---- octets

class OctetReader {
 public:
  explicit OctetReader(Bytes octets) : left_(octets) {}

  bool empty() const { return left_.empty(); }
  // 0 when there are none.
  unsigned next() {
    if (left_.empty()) return 0;
    const auto octet = static_cast<std::uint8_t>(left_.front());
    left_.remove_prefix(1);
    return octet;
  }
  Bytes take(std::size_t count) {
    const Bytes taken = left_.substr(0, count);
    left_.remove_prefix(taken.size());
    return taken;
  }
  // Up to the next escape.
  Bytes take_plain() { return take(std::min(left_.find(kEscape), left_.size())); }

 private:
  Bytes left_;
};

FuzzStep read_step(Verb verb, OctetReader& reader) {
  FuzzStep step{.verb = verb};
  switch (verb) {
    case Verb::connection:
      step.number = 1 + reader.next() % kMaxFuzzConnections;
      break;
    case Verb::after: {
      const Unit& unit = kUnits[reader.next() % kUnits.size()];
      std::int64_t count = 0;
      for (int i = 0; i < 3; ++i) count = count * 256 + static_cast<std::uint8_t>(reader.next());
      step.wait = std::min<Duration>(kMaxWait, unit.length * count);
      break;
    }
    case Verb::message:
      step.number = reader.next() % static_cast<unsigned>(kFuzzMessages.size());
      break;
    case Verb::cut:
      step.number = reader.next();
      break;
    case Verb::fault:
      step.operation = kFaulty[reader.next() % kFaulty.size()];
      step.number = 1 + reader.next() % static_cast<unsigned>(2 * inmem::faults_of(step.operation).size());
      break;
    case Verb::link:
      step.number = reader.next() % static_cast<unsigned>(kFuzzAfflictions.size());
      break;
    case Verb::choices: {
      const unsigned count = reader.next();
      step.octets = reader.take(count);
      break;
    }
    default:
      break;
  }
  return step;
}

void append_doubling_escapes(std::string& octets, Bytes plain) {
  for (const char c : plain) {
    octets += c;
    if (c == kEscape) octets += kEscape;
  }
}

void append_operands(std::string& octets, const FuzzStep& step) {
  const auto add = [&octets](std::uint64_t octet) { octets += static_cast<char>(octet & 0xff); };
  switch (step.verb) {
    case Verb::connection:
      return add(step.number - 1);
    case Verb::after: {
      const Amount amount = amount_of(step.wait);
      add(amount.unit);
      add(amount.count >> 16);
      add(amount.count >> 8);
      return add(amount.count);
    }
    case Verb::message:
    case Verb::cut:
    case Verb::link:
      return add(step.number);
    case Verb::fault:
      add(static_cast<std::uint64_t>(std::ranges::find(kFaulty, step.operation) - kFaulty.begin()));
      return add(step.number - 1);
    case Verb::choices:
      add(step.octets.size());
      octets += step.octets;
      return;
    default:
      return;
  }
}

// ---- text

// Quoted, one line of them a line.
std::string quote_lines(Bytes octets) {
  std::string text;
  while (!octets.empty()) {
    const std::size_t line_end = std::min(octets.find('\n'), octets.size() - 1) + 1;
    if (!text.empty()) text += "\n     ";
    text += inmem::quote(octets.substr(0, line_end), line_end);
    octets.remove_prefix(line_end);
  }
  return text;
}

std::string operand_text(const FuzzStep& step) {
  switch (step.verb) {
    case Verb::send:
      return quote_lines(step.octets);
    case Verb::connection:
    case Verb::cut:
      return std::to_string(step.number);
    case Verb::after: {
      const Amount amount = amount_of(step.wait);
      return std::to_string(amount.count) + std::string(kUnits.at(amount.unit).name);
    }
    case Verb::message:
      return std::string(kFuzzMessages.at(step.number).name);
    case Verb::fault:
      return describe_fault(step.operation, step.number);
    case Verb::link:
      return std::string(kFuzzAfflictions.at(step.number).name);
    case Verb::choices:
      return inmem::hex(step.octets, " ");
    default:
      return {};
  }
}

// One line of a text, and what is said of it when it is wrong.
class Line {
 public:
  Line(std::string_view text, std::size_t number) : text_(text), number_(number) {}

  FuzzStep parse() const {
    for (const VerbRow& known : kVerbs) {
      if (text_ != known.name && !text_.starts_with(std::string(known.name) + " ")) continue;
      return parse_operand(known.verb, text_.substr(std::min(text_.size(), known.name.size() + 1)));
    }
    std::string names;
    for (const VerbRow& known : kVerbs) names.append(names.empty() ? "" : ", ").append(known.name);
    refuse("a step begins with one of: " + names);
  }

  std::string parse_quoted(std::string_view quoted) const {
    if (quoted.size() < 2 || !quoted.starts_with('"') || !quoted.ends_with('"'))
      refuse("octets stand in double quotes");
    std::string octets;
    quoted = quoted.substr(1, quoted.size() - 2);
    while (!quoted.empty()) octets += take_character(quoted);
    return octets;
  }

  [[noreturn]] void refuse(const std::string& why) const {
    throw BadFuzzText("line " + std::to_string(number_) + ", " + inmem::quote(text_) + ": " + why);
  }

 private:
  FuzzStep parse_operand(Verb verb, std::string_view operand) const {
    FuzzStep step{.verb = verb};
    switch (verb) {
      case Verb::send:
        step.octets = parse_quoted(operand);
        break;
      case Verb::connection:
        step.number = parse_number(operand, 1, kMaxFuzzConnections);
        break;
      case Verb::cut:
        step.number = parse_number(operand, 0, 255);
        break;
      case Verb::after:
        step.wait = parse_wait(operand);
        break;
      case Verb::message:
        step.number = find_name(kFuzzMessages, operand);
        break;
      case Verb::link:
        step.number = find_name(kFuzzAfflictions, operand);
        break;
      case Verb::fault:
        find_fault(step, operand);
        break;
      case Verb::choices:
        step.octets = parse_hex(operand);
        break;
      default:
        if (!operand.empty()) refuse("nothing stands behind this step");
    }
    return step;
  }

  char take_character(std::string_view& quoted) const {
    const char c = quoted.front();
    quoted.remove_prefix(1);
    if (c == '"') refuse("a quote within octets is written \\\"");
    if (c != '\\') return c;
    constexpr std::string_view kEscapes = "rnt\"\\0";
    constexpr std::string_view kMeant("\r\n\t\"\\\0", 6);
    const std::size_t at = quoted.empty() ? std::string_view::npos : kEscapes.find(quoted.front());
    if (at != std::string_view::npos) {
      quoted.remove_prefix(1);
      return kMeant[at];
    }
    if (!quoted.starts_with('x')) refuse("escapes are \\r \\n \\t \\\" \\\\ \\0 and \\x with two digits");
    const std::string octet = parse_hex(quoted.substr(1, 2));
    quoted.remove_prefix(3);
    return octet.front();
  }

  unsigned parse_number(std::string_view digits, unsigned least, unsigned most) const {
    const std::optional<std::uint64_t> number = ascii::parse_decimal(digits);
    if (!number || *number < least || *number > most) {
      refuse("a number from " + std::to_string(least) + " to " + std::to_string(most) + " stands here");
    }
    return static_cast<unsigned>(*number);
  }

  Duration parse_wait(std::string_view text) const {
    const auto is_no_digit = [](char c) { return !ascii::is_digit(c); };
    const auto digits = static_cast<std::size_t>(std::ranges::find_if(text, is_no_digit) - text.begin());
    const std::optional<std::uint64_t> count = ascii::parse_decimal(text.substr(0, digits));
    for (const Unit& unit : kUnits) {
      if (!count || *count > kMaxUnits || text.substr(digits) != unit.name) continue;
      if (unit.length * *count <= kMaxWait) return unit.length * *count;
    }
    refuse("a time is a number up to 16777215 and ns, us, ms or s, an hour at most: 5s");
  }

  template <class Table>
  unsigned find_name(const Table& table, std::string_view name) const {
    std::string names;
    for (std::size_t i = 0; i < table.size(); ++i) {
      if (table[i].name == name) return static_cast<unsigned>(i);
      names.append(names.empty() ? "" : ", ").append(table[i].name);
    }
    refuse("one of these stands here: " + names);
  }

  void find_fault(FuzzStep& step, std::string_view text) const {
    std::string names;
    for (const Operation operation : kFaulty) {
      const auto faults = static_cast<unsigned>(inmem::faults_of(operation).size());
      for (unsigned answer = 1; answer <= 2 * faults; ++answer) {
        const std::string name = describe_fault(operation, answer);
        if (name == text) {
          step.operation = operation;
          step.number = answer;
          return;
        }
        if (answer <= faults) names.append(names.empty() ? "" : "; ").append(name);
      }
    }
    refuse("one of these stands here, perhaps with \", sticky\": " + names);
  }

  std::string parse_hex(std::string_view text) const {
    std::string octets;
    while (!text.empty()) {
      const int high = digit(text.front());
      const int low = text.size() > 1 ? digit(text[1]) : -1;
      if (high < 0 || low < 0) refuse("octets are two hexadecimal digits each: 0a ff");
      octets += static_cast<char>(high * 16 + low);
      text.remove_prefix(2);
      if (text.starts_with(' ')) text.remove_prefix(1);
    }
    if (octets.empty() || octets.size() > 255) refuse("1 to 255 octets stand here");
    return octets;
  }

  static int digit(char c) {
    const std::size_t value = std::string_view("0123456789abcdef").find(ascii::to_lower(c));
    return value == std::string_view::npos ? -1 : static_cast<int>(value);
  }

  std::string_view text_;
  std::size_t number_;
};

}  // namespace

FuzzInput::FuzzInput(std::vector<FuzzStep> steps) {
  for (FuzzStep& step : steps) add(std::move(step));
}

// Steps that do nothing are none, so that each input has one form.
void FuzzInput::add(FuzzStep step) {
  const bool has_octets = step.verb == Verb::send || step.verb == Verb::choices;
  if (steps_.size() == kMaxFuzzSteps || (has_octets && step.octets.empty())) return;
  steps_.push_back(std::move(step));
}

FuzzInput FuzzInput::parse(Bytes input) {
  return input.starts_with(kFuzzTextMark) ? parse_text(input) : parse_octets(input);
}

FuzzInput FuzzInput::parse_octets(Bytes octets) {
  FuzzInput input;
  OctetReader reader(octets);
  std::string plain;
  while (!reader.empty() && input.steps_.size() < kMaxFuzzSteps) {
    plain += reader.take_plain();
    if (reader.empty()) break;
    (void)reader.next();
    if (reader.empty()) break;
    const unsigned number = reader.next();
    if (number == static_cast<std::uint8_t>(kEscape)) {
      plain += kEscape;
      continue;
    }
    input.add({.octets = std::exchange(plain, std::string())});
    input.add(read_step(kVerbs.at(number % kFuzzVerbs).verb, reader));
  }
  input.add({.octets = std::move(plain)});
  return input;
}

FuzzInput FuzzInput::parse_text(std::string_view text) {
  FuzzInput input;
  text.remove_prefix(kFuzzTextMark.size());
  for (std::size_t number = 2; !text.empty(); ++number) {
    const std::size_t line_end = std::min(text.find('\n'), text.size());
    std::string_view shown = text.substr(0, line_end);
    text.remove_prefix(std::min(text.size(), line_end + 1));
    while (!shown.empty() && ascii::is_space_or_tab(shown.front())) shown.remove_prefix(1);
    while (!shown.empty() && (ascii::is_space_or_tab(shown.back()) || shown.back() == '\r')) shown.remove_suffix(1);
    if (shown.empty() || shown.starts_with('#')) continue;
    const Line line(shown, number);
    if (!shown.starts_with('"')) {
      input.add(line.parse());
    } else if (input.steps_.empty() || input.steps_.back().verb != Verb::send) {
      line.refuse("there is no send before it to go on with");
    } else {
      input.steps_.back().octets += line.parse_quoted(shown);
    }
  }
  return input;
}

std::string FuzzInput::choices() const {
  std::string octets;
  for (const FuzzStep& step : steps_) {
    if (step.verb == Verb::choices) octets += step.octets;
  }
  return octets;
}

bool FuzzInput::has(Verb verb) const {
  return std::ranges::any_of(steps_, [verb](const FuzzStep& step) { return step.verb == verb; });
}

std::string FuzzInput::to_octets() const {
  std::string octets;
  bool is_sending = false;
  for (const FuzzStep& step : steps_) {
    const bool sends = step.verb == Verb::send;
    if (!sends || is_sending) {
      octets += kEscape;
      octets += static_cast<char>(std::to_underlying(step.verb));
    }
    if (sends) {
      append_doubling_escapes(octets, step.octets);
    } else {
      append_operands(octets, step);
    }
    is_sending = sends;
  }
  return octets;
}

std::string FuzzInput::to_text() const {
  std::string text(kFuzzTextMark);
  for (const FuzzStep& step : steps_) {
    text += row(step.verb).name;
    const std::string operand = operand_text(step);
    if (!operand.empty()) text.append(" ").append(operand);
    text += "\n";
  }
  return text;
}

std::string from_text(std::string_view text) {
  if (!text.starts_with(kFuzzTextMark)) {
    throw BadFuzzText("the first line of an input as text is \"pipette fuzz 1\"");
  }
  return FuzzInput::parse(text).to_octets();
}

// ---- mutating

namespace {

FuzzStep random_step(Random& random) {
  std::string octets;
  for (int i = 0; i < 4; ++i) octets += static_cast<char>(random.below(256));
  OctetReader reader(octets);
  // The first of the verbs sends, for which the messages stand.
  return read_step(kVerbs.at(1 + random.below(kFuzzVerbs - 1)).verb, reader);
}

void change_octets(std::string& octets, std::size_t room, const ChangeOctets& change) {
  const std::size_t size = octets.size();
  octets.resize(std::max(size, std::min<std::size_t>(room, size + 64)));
  octets.resize(change(octets.data(), size, octets.size()));
}

void change_step(FuzzStep& step, std::size_t room, Random& random, const ChangeOctets& change) {
  if (step.verb == Verb::send || step.verb == Verb::choices) {
    const std::size_t most = step.verb == Verb::send ? room : std::size_t{255};
    return change_octets(step.octets, std::max(most, step.octets.size()), change);
  }
  if (row(step.verb).operand_bytes == 0) {
    step = random_step(random);
    return;
  }
  std::string operands;
  for (int i = 0; i < 4; ++i) operands += static_cast<char>(random.below(256));
  OctetReader reader(operands);
  step = read_step(step.verb, reader);
}

}  // namespace

std::string mutate(Bytes octets, std::size_t room, std::uint64_t seed, const ChangeOctets& change) {
  Random random(seed);
  std::vector<FuzzStep> steps;
  try {
    steps = FuzzInput::parse(octets).steps();
  } catch (const BadFuzzText&) {
    steps.clear();
  }
  const std::size_t at = steps.empty() ? 0 : random.below(steps.size());
  const auto place = steps.begin() + static_cast<std::ptrdiff_t>(at);
  switch (steps.empty() ? 0 : random.below(8)) {
    case 0:
      steps.insert(place, random_step(random));
      break;
    case 1:
      steps.erase(place);
      break;
    case 2: {
      const FuzzStep copy = *place;
      steps.insert(place, copy);
      break;
    }
    case 3:
      std::swap(*place, steps.at(random.below(steps.size())));
      break;
    default:
      change_step(*place, room, random, change);
  }
  std::string mutated = FuzzInput(std::move(steps)).to_octets();
  mutated.resize(std::min(mutated.size(), room));
  return mutated;
}

}  // namespace pipette::lab
