// Plot tells the events as steps: what goes from which lane to which, when it leaves and when it arrives. Picture
// gives each step a place and draws it; the page and the Mermaid text are made around that.

#include "pipette/lab/diagram.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pipette/base/ascii.h"
#include "pipette/http/escape.h"
#include "pipette/inmem/text.h"

namespace pipette::lab {
namespace {

using inmem::ConnectionFacts;
using inmem::Event;
using inmem::EventKind;
using inmem::EventLog;

constexpr std::size_t kMaxEvents = 2000;
constexpr std::size_t kMaxOctets = 1024;  // of a message that are shown
constexpr std::size_t kMaxTipOctets = 400;
constexpr std::size_t kMaxLabelOctets = 300;
constexpr std::size_t kMaxNameOctets = 40;
constexpr std::size_t kMaxStartLines = 8;
constexpr std::size_t kMaxLanes = 24;
constexpr std::size_t kMaxFilters = 64;
constexpr std::size_t kOpenFilters = 12;     // more are folded away
constexpr std::size_t kMaxMermaid = 48'000;  // GitHub and GitLab draw up to 50,000 characters
constexpr std::size_t kNone = SIZE_MAX;

// ---- words -------------------------------------------------------------------------------------------------

std::string html_escaped(std::string_view text) {
  std::string html;
  http::append_html_escaped(text, html);
  return html;
}

std::string label_text(Bytes octets) { return inmem::escape(octets, kMaxLabelOctets); }

// A message, whose lines stay lines.
std::string escaped_lines(Bytes octets, std::uint64_t count, std::size_t max_shown) {
  Bytes left = octets.substr(0, max_shown);
  const std::uint64_t hidden = count - left.size();
  std::string lines;
  while (!left.empty()) {
    const std::size_t size = std::min(left.find('\n'), left.size());
    const bool has_end = size < left.size();
    const bool has_return = has_end && size > 0 && left[size - 1] == '\r';
    lines += inmem::escape(left.substr(0, has_return ? size - 1 : size));
    if (has_end) lines += has_return ? "\\r\\n\n" : "\\n\n";
    left.remove_prefix(has_end ? size + 1 : size);
  }
  if (hidden > 0) lines += "\n… " + std::to_string(hidden) + " more octets";
  return lines;
}

// "0 s", "10.335 s", "0.000000001 s".
std::string clock_text(TimePoint time) {
  std::string text = inmem::format_time(time).substr(1);
  while (text.ends_with('0')) text.pop_back();
  if (text.ends_with('.')) text.pop_back();
  return text + " s";
}

// "1,234,567"
std::string grouped(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t at = text.size(); at > 3;) text.insert(at -= 3, ",");
  return text;
}

// Cut to `max` octets or fewer, and an ellipsis: what is beyond ASCII is cut in front of it.
std::string cut(std::string text, std::size_t max) {
  if (text.size() <= max) return text;
  std::size_t size = std::max<std::size_t>(max, 2) - 1;
  while (size > 0 && (static_cast<std::uint8_t>(text[size]) & 0xc0U) == 0x80) --size;
  return text.substr(0, size) + "…";
}

// ---- HTTP, as far as labels need it ----------------------------------------------------------------------

// The line if `octets` begin with a start line of HTTP/1.x, or else nothing.
Bytes start_line(Bytes octets) {
  const std::size_t end = octets.substr(0, kMaxOctets).find('\n');
  if (end == Bytes::npos) return {};
  Bytes line = octets.substr(0, end);
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (line.starts_with("HTTP/1.")) return line.size() >= 12 ? line : Bytes();
  const std::size_t space = line.find(' ');
  const std::size_t version = line.rfind(" HTTP/1.");
  const bool is_request = space != Bytes::npos && version != Bytes::npos && version > space;
  return is_request && ascii::is_token(line.substr(0, space)) ? line : Bytes();
}

std::size_t content_length(Bytes head) {
  constexpr Bytes kName = "content-length:";
  for (std::size_t at = head.find('\n'); at != Bytes::npos; at = head.find('\n', at + 1)) {
    const Bytes line = head.substr(at + 1, std::min(head.find('\n', at + 1), head.size()) - at - 1);
    if (line.size() < kName.size() || !ascii::equal_ignoring_case(line.substr(0, kName.size()), kName)) continue;
    std::size_t length = 0;
    for (const char c : line.substr(kName.size())) {
      if (ascii::is_digit(c) && length < kMaxOctets) length = length * 10 + static_cast<std::size_t>(c - '0');
    }
    return length;
  }
  return 0;
}

// Of all messages that begin in `octets`, the first at its front: pipelining puts several into a segment.
std::vector<Bytes> start_lines(Bytes octets) {
  std::vector<Bytes> lines;
  while (lines.size() < kMaxStartLines) {
    const Bytes line = start_line(octets);
    if (line.empty()) break;
    lines.push_back(line);
    const std::size_t end = octets.find("\r\n\r\n");
    if (end == Bytes::npos) break;
    const std::size_t size = end + 4 + content_length(octets.substr(0, end));
    octets.remove_prefix(std::min(size, octets.size()));
  }
  return lines;
}

std::string message_label(Bytes octets) {
  const std::vector<Bytes> lines = start_lines(octets);
  if (lines.empty()) return inmem::quote(octets, 80);
  if (lines.size() == 1) return label_text(lines[0]);
  std::string label;
  for (const Bytes line : lines) {
    const std::size_t version = line.rfind(" HTTP/1.");
    const Bytes rest = line.starts_with("HTTP/1.") ? line.substr(9) : line.substr(0, version);
    label += (label.empty() ? "" : " + ") + label_text(rest);
  }
  return label;
}

std::string shown_name(const std::string& name) { return name.empty() ? "?" : inmem::escape(name, kMaxNameOctets); }

// ---- the plot -----------------------------------------------------------------------------------------------

struct Step {
  enum class Shape { arrow, mark, banner, arrival };  // an arrival is only a place where arrows end
  enum class Journey { at_once, takes_time, lost };

  TimePoint time{};
  EventKind kind = EventKind::note;
  Shape shape = Shape::banner;
  Journey journey = Journey::at_once;
  std::size_t from = kNone;
  std::size_t to = kNone;
  std::size_t arrival = kNone;  // the step at which it arrives
  std::uint32_t connection = 0;
  std::uint8_t side = inmem::kNoSide;
  std::uint64_t count = 0;
  std::size_t segments = 1;
  std::string octets;  // the first of them
  std::string text;    // what the event said
  std::string label;
  bool is_http = false;

  bool is_bad() const {
    return kind == EventKind::fault || kind == EventKind::reset || kind == EventKind::refused ||
           kind == EventKind::accept_failed || kind == EventKind::timed_out || journey == Journey::lost;
  }
};

class Plot {
 public:
  explicit Plot(const EventLog& log);

  const std::vector<std::string>& lanes() const { return lanes_; }
  const std::vector<Step>& steps() const { return steps_; }
  const EventLog& log() const { return log_; }
  std::size_t events() const { return log_.size() - first_; }
  std::uint64_t left_out() const { return log_.dropped() + first_; }
  // "client -> app", as far as a step has a direction.
  std::string who(const Step& step) const;

 private:
  struct Pending {  // a message on its way
    std::size_t step;
    std::uint64_t octets;
  };
  using Way = std::pair<std::uint32_t, std::uint8_t>;  // a connection, and who sends

  void add_lanes();
  std::size_t lane(const std::string& name) const { return lane_of_.at(shown_name(name)); }
  bool has_facts(const Event& event) const { return event.connection != 0 && event.connection <= log_.connections(); }
  void add(const Event& event, bool is_shown);
  void add_step(const Event& event);
  bool join_last(const Event& event);
  void give_direction(Step& step, const Event& event);
  void give_direction_by_text(Step& step);
  void give_label(Step& step) const;
  void arrive(const Event& event, bool is_shown);
  std::size_t arrival_step(TimePoint time);
  std::size_t find_lane(std::string_view words) const;

  const EventLog& log_;
  std::size_t first_;
  std::map<Way, std::size_t> last_sent_;  // the step
  std::vector<std::string> lanes_;
  std::map<std::string, std::size_t> lane_of_;
  std::vector<Step> steps_;
  std::map<Way, std::deque<Pending>> pending_;
};

Plot::Plot(const EventLog& log) : log_(log), first_(log.size() > kMaxEvents ? log.size() - kMaxEvents : 0) {
  add_lanes();
  for (std::size_t i = 0; i < log.size(); ++i) add(log[i], i >= first_);
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    Step& step = steps_[i];
    if (step.journey != Step::Journey::takes_time || step.arrival != kNone) continue;
    const auto answer = last_sent_.find({step.connection, step.side == 0 ? 1 : 0});
    const bool is_answered = answer != last_sent_.end() && answer->second > i;
    step.journey = step.kind == EventKind::sent && !is_answered ? Step::Journey::lost : Step::Journey::at_once;
  }
}

std::string Plot::who(const Step& step) const {
  if (step.from == kNone) return "";
  if (step.to == kNone) return lanes_[step.from];
  return lanes_[step.from] + " → " + lanes_[step.to];
}

// Who only dials stands left, who only accepts stands right, and each where it was first seen.
void Plot::add_lanes() {
  struct Host {
    std::string name;
    bool dials = false;
    bool accepts = false;
    int rank() const { return accepts ? (dials ? 1 : 2) : 0; }
  };
  std::vector<Host> hosts;
  std::map<std::string, std::size_t> known;
  const auto host = [&](const std::string& name) -> Host& {
    const auto [at, is_new] = known.try_emplace(shown_name(name), hosts.size());
    if (is_new) hosts.push_back({at->first});
    return hosts[at->second];
  };
  for (std::size_t i = first_; i < log_.size(); ++i) {
    const Event event = log_[i];
    if (!has_facts(event)) continue;
    const ConnectionFacts& facts = log_.connection(event.connection);
    host(facts.names[0]).dials = true;
    host(facts.names[1]).accepts = true;
  }
  for (int rank = 0; rank < 3; ++rank) {
    for (const Host& each : hosts) {
      if (each.rank() != rank) continue;
      lane_of_.emplace(each.name, std::min(lanes_.size(), kMaxLanes - 1));
      if (lanes_.size() < kMaxLanes) lanes_.push_back(each.name);
    }
  }
  if (lane_of_.size() > kMaxLanes) lanes_.back() = "other hosts";
}

// The lane of the first of some words, "app:80 10.0.1.1:80", if it has one already.
std::size_t Plot::find_lane(std::string_view words) const {
  const auto known = lane_of_.find(label_text(words.substr(0, words.find_first_of(" :"))));
  return known == lane_of_.end() ? kNone : known->second;
}

void Plot::add(const Event& event, bool is_shown) {
  if (event.kind == EventKind::received) return arrive(event, is_shown);
  if (event.kind == EventKind::keys) return;  // for captures
  if (is_shown && !join_last(event)) add_step(event);
  const bool travels = event.kind == EventKind::sent || event.kind == EventKind::finished;
  if (!travels || !has_facts(event)) return;
  const std::size_t step = is_shown ? steps_.size() - 1 : kNone;
  if (is_shown && event.kind == EventKind::sent) last_sent_[{event.connection, event.side}] = step;
  if (!event.takes_time) return;
  pending_[{event.connection, event.side}].push_back({step, event.kind == EventKind::sent ? event.count : 0});
}

// What a side writes at one moment is one message, unless another begins.
bool Plot::join_last(const Event& event) {
  if (event.kind != EventKind::sent || steps_.empty()) return false;
  Step& last = steps_.back();
  if (last.kind != EventKind::sent || last.connection != event.connection || last.side != event.side) return false;
  if (last.time != event.time || !start_line(event.octets).empty()) return false;
  last.octets += event.octets.substr(0, kMaxOctets - std::min(last.octets.size(), kMaxOctets));
  last.count += event.count;
  ++last.segments;
  give_label(last);
  return true;
}

void Plot::add_step(const Event& event) {
  Step step;
  step.time = event.time;
  step.kind = event.kind;
  step.connection = has_facts(event) ? event.connection : 0;
  step.side = event.side;
  step.count = event.count;
  if (event.kind == EventKind::sent) {
    step.octets = event.octets.substr(0, kMaxOctets);
  } else {
    step.text = label_text(event.octets);
  }
  give_direction(step, event);
  give_label(step);
  steps_.push_back(std::move(step));
}

void Plot::give_direction(Step& step, const Event& event) {
  if (!has_facts(event)) return give_direction_by_text(step);
  const ConnectionFacts& facts = log_.connection(event.connection);
  const std::size_t dialer = lane(facts.names[0]);
  const std::size_t accepter = lane(facts.names[1]);
  const bool is_accepter = event.side == 1 || event.kind == EventKind::accepted;
  const std::size_t self = is_accepter ? accepter : dialer;
  const std::size_t other = is_accepter ? dialer : accepter;
  switch (event.kind) {
    case EventKind::sent:
    case EventKind::finished:
      if (event.takes_time) step.journey = Step::Journey::takes_time;
      [[fallthrough]];
    case EventKind::dial:
    case EventKind::refused:
    case EventKind::reset:
      step.shape = Step::Shape::arrow;
      step.from = self;
      step.to = other;
      break;
    default:
      if (event.side >= 2 && event.kind != EventKind::accepted) break;
      step.shape = Step::Shape::mark;
      step.from = self;
  }
}

// Of events without a connection only the text tells where they belong.
void Plot::give_direction_by_text(Step& step) {
  const std::size_t arrow = step.text.find(" -> ");
  if (step.kind == EventKind::refused && arrow != std::string::npos) {
    step.from = find_lane(step.text);
    step.to = find_lane(std::string_view(step.text).substr(arrow + 4));
    if (step.to == kNone) step.from = kNone;
    if (step.from != kNone) step.shape = Step::Shape::arrow;
    if (step.from == kNone) step.to = kNone;
  } else if (step.kind == EventKind::listen || step.kind == EventKind::accept_failed) {
    step.from = find_lane(step.text);
    if (step.from != kNone) step.shape = Step::Shape::mark;
  }
}

void Plot::give_label(Step& step) const {
  switch (step.kind) {
    case EventKind::sent:
      step.is_http = !start_line(step.octets).empty();
      step.label = message_label(step.octets);
      break;
    case EventKind::dial: {
      const std::size_t arrow = step.text.find(" -> ");
      const std::string target = arrow == std::string::npos ? "" : step.text.substr(arrow + 4);
      step.label = "dials" + (target.empty() ? "" : " " + target.substr(0, target.find(' ')));
      break;
    }
    case EventKind::refused: {
      const std::size_t arrow = step.text.find(" -> ");
      const std::size_t why = step.text.find(": ", arrow == std::string::npos ? 0 : arrow);
      step.label = "refused" + (step.shape == Step::Shape::banner ? ": " + step.text
                                : why == std::string::npos        ? ""
                                                                  : step.text.substr(why));
      break;
    }
    case EventKind::listen:
      step.label = "listens: " + step.text;
      break;
    case EventKind::finished:
      step.label = "FIN";
      break;
    case EventKind::reset:
      step.label = "RST" + (step.text.empty() ? "" : ": " + step.text);
      break;
    case EventKind::timed_out:
      step.label = step.text + (step.text.empty() ? "timed out" : " timed out");
      break;
    case EventKind::note:
      step.label = step.text;
      break;
    default:
      step.label = std::string(to_string(step.kind)) + (step.text.empty() ? "" : ": " + step.text);
  }
}

void Plot::arrive(const Event& event, bool is_shown) {
  std::deque<Pending>& way = pending_[{event.connection, event.side}];
  std::uint64_t left = event.count;
  const bool is_end = left == 0;
  while (!way.empty() && (left > 0 || is_end)) {
    Pending& next = way.front();
    if ((next.octets == 0) != is_end) return;
    const std::uint64_t taken = std::min(left, next.octets);
    next.octets -= taken;
    left -= taken;
    if (next.octets > 0) return;
    if (next.step != kNone && is_shown) steps_[next.step].arrival = arrival_step(event.time);
    way.pop_front();
    if (is_end) return;
  }
}

std::size_t Plot::arrival_step(TimePoint time) {
  if (steps_.empty() || steps_.back().shape != Step::Shape::arrival || steps_.back().time != time) {
    Step& step = steps_.emplace_back();
    step.time = time;
    step.kind = EventKind::received;
    step.shape = Step::Shape::arrival;
  }
  return steps_.size() - 1;
}

// ---- the picture ---------------------------------------------------------------------------------------------

constexpr int kClockRight = 104;  // where the times end
constexpr int kFirstLane = 170;
constexpr int kRightMargin = 150;
constexpr int kCharacterWidth = 73;  // of the labels, in tenths

class Picture {
 public:
  explicit Picture(const Plot& plot);

  int width() const { return width_; }
  // The names above the lanes, which stay in sight.
  std::string names() const;
  std::string svg() const;
  // A panel with the octets of each message.
  std::string panels() const;

 private:
  struct Gap {
    int y = 0;
    Duration length{};
  };

  void lay_out();
  int x(std::size_t lane) const { return kFirstLane + static_cast<int>(lane) * lane_width_; }
  std::string lines() const;
  std::string gap(const Gap& gap) const;
  std::string step(std::size_t index) const;
  std::string arrow(const Step& step, int y) const;
  std::string loop(const Step& step, int y) const;
  std::string mark(const Step& step, int y) const;
  std::string banner(const Step& step, int y) const;
  std::string badge(const Step& step) const;
  std::string size_of(const Step& step) const;
  std::string heading(const Step& step) const;
  std::string tip(const Step& step) const;

  const Plot& plot_;
  int lane_width_ = 0;
  int width_ = 0;
  int height_ = 0;
  std::vector<int> y_;     // of each step
  std::vector<Gap> gaps_;  // that are cut short
};

int height_of(const Step& step) {
  switch (step.shape) {
    case Step::Shape::arrow:
      return 34;
    case Step::Shape::mark:
      return 26;
    case Step::Shape::banner:
      return 34;
    case Step::Shape::arrival:
      return 12;
  }
  return 0;
}

std::string points(int x, int y) { return std::to_string(x) + " " + std::to_string(y); }
std::string at(int x, int y) { return "x=\"" + std::to_string(x) + "\" y=\"" + std::to_string(y) + "\""; }
std::string line(int x1, int y1, int x2, int y2) {
  return "<path d=\"M" + points(x1, y1) + "L" + points(x2, y2) + "\"/>";
}
std::string text(int x, int y, std::string_view classes, std::string_view words) {
  return "<text " + at(x, y) + " class=\"" + std::string(classes) + "\">" + html_escaped(words) + "</text>";
}
std::string cross(int x, int y) { return line(x - 5, y - 5, x + 5, y + 5) + line(x - 5, y + 5, x + 5, y - 5); }

Picture::Picture(const Plot& plot) : plot_(plot) {
  const auto lanes = static_cast<int>(std::max<std::size_t>(plot.lanes().size(), 2));
  lane_width_ = std::clamp(900 / (lanes - 1), 230, 600);
  width_ = kFirstLane + (lanes - 1) * lane_width_ + kRightMargin;
  lay_out();
}

// Time has no scale: a step of it takes the more room the more figures it has, and what is long beside the others is
// marked as cut.
void Picture::lay_out() {
  std::vector<Duration> waits;
  TimePoint before = plot_.steps().empty() ? TimePoint() : plot_.steps().front().time;
  for (const Step& step : plot_.steps()) {
    if (step.time > before) waits.push_back(step.time - before);
    before = step.time;
  }
  std::ranges::sort(waits);
  const Duration usual = waits.empty() ? Duration() : waits[waits.size() / 2];
  const Duration second = std::chrono::seconds(1);

  int y = 8;
  before = plot_.steps().empty() ? TimePoint() : plot_.steps().front().time;
  for (const Step& step : plot_.steps()) {
    if (step.time > before) {
      const Duration wait = step.time - before;
      if (wait >= second || wait / 20 > usual) {
        gaps_.push_back({y + 32, wait});
        y += 48;
      } else {
        const auto figures = static_cast<int>(std::to_string(wait.count() / 1000).size());
        y += 3 * figures;
      }
      before = step.time;
    }
    y += height_of(step);
    y_.push_back(y);
  }
  height_ = y + 40;
}

std::string Picture::names() const {
  std::string svg = "<svg class=\"names\" width=\"" + std::to_string(width_) + "\" height=\"44\">";
  svg += text(kClockRight, 27, "clock end", "virtual time");
  for (std::size_t lane = 0; lane < plot_.lanes().size(); ++lane) {
    const std::string name = cut(plot_.lanes()[lane], 28);
    const int half = static_cast<int>(name.size()) * 4 + 18;
    svg += "<rect " + at(x(lane) - half, 8) + " width=\"" + std::to_string(2 * half) + "\" height=\"28\" rx=\"14\"/>";
    svg += text(x(lane), 27, "mid", name);
  }
  return svg + "</svg>\n";
}

std::string Picture::svg() const {
  std::string svg = "<svg class=\"story\" role=\"img\" aria-label=\"Sequence diagram\" width=\"" +
                    std::to_string(width_) + "\" height=\"" + std::to_string(height_) + "\">\n";
  svg += lines();
  for (const Gap& each : gaps_) svg += gap(each);
  for (std::size_t i = 0; i < plot_.steps().size(); ++i) svg += step(i);
  return svg + "</svg>\n";
}

std::string Picture::lines() const {
  std::string svg = "<g class=\"lanes\">";
  for (std::size_t lane = 0; lane < plot_.lanes().size(); ++lane) svg += line(x(lane), 0, x(lane), height_ - 12);
  return svg + "</g>\n";
}

std::string Picture::gap(const Gap& gap) const {
  std::string svg =
      "<g class=\"gap\"><rect " + at(0, gap.y - 11) + " width=\"" + std::to_string(width_) + "\" height=\"22\"/>";
  for (const int y : {gap.y - 11, gap.y + 11}) {
    svg += "<path d=\"M0 " + std::to_string(y);
    for (int at_x = 0; at_x < width_; at_x += 24) svg += "q6 -5 12 0t12 0";
    svg += "\"/>";
  }
  const std::string words = "nothing happens for " + inmem::rough_text(gap.length);
  return svg + text(kFirstLane + lane_width_ / 2, gap.y + 4, "mid", words) + "</g>\n";
}

std::string Picture::step(std::size_t index) const {
  const Step& step = plot_.steps()[index];
  const int y = y_[index];
  std::string svg;
  if (index == 0 || plot_.steps()[index - 1].time != step.time) {
    svg = text(kClockRight, y + 4, "clock end", clock_text(step.time)) + "<g class=\"tick\">" +
          line(kClockRight + 8, y, kClockRight + 16, y) + "</g>\n";
  }
  if (step.shape == Step::Shape::arrival) return svg;

  std::string classes = "step";
  if (step.connection != 0) {
    classes += " c" + std::to_string(step.connection) + " p" + std::to_string((step.connection - 1) % 8);
  }
  if (step.kind != EventKind::sent) classes += " quiet";
  if (step.is_bad()) classes += " bad";
  if (step.kind == EventKind::link) classes += " link";
  svg += "<a href=\"#e" + std::to_string(index) + "\" class=\"" + classes + "\"><title>" + html_escaped(tip(step)) +
         "</title>";
  if (step.shape == Step::Shape::arrow) {
    svg += step.from == step.to ? loop(step, y) : arrow(step, y);
  } else if (step.shape == Step::Shape::mark) {
    svg += mark(step, y);
  } else {
    svg += banner(step, y);
  }
  return svg + "</a>\n";
}

// The number of the connection, where it leaves a lane.
std::string Picture::badge(const Step& step) const {
  if (step.connection == 0) return "";
  const std::string number = std::to_string(step.connection);
  const int half = 5 + 3 * static_cast<int>(number.size());
  return "<rect class=\"badge\" " + at(-half, -8) + " width=\"" + std::to_string(2 * half) +
         "\" height=\"16\" rx=\"8\"/>" + text(0, 4, "badge mid", number);
}

std::string Picture::size_of(const Step& step) const {
  if (step.kind != EventKind::sent) return "";
  std::string size = grouped(step.count) + " B";
  if (step.segments > 1) size += " in " + std::to_string(step.segments);
  if (step.journey == Step::Journey::lost) size += ", no arrival";
  return size;
}

// Drawn level, in a frame that is sheared so that it ends where it arrives.
std::string Picture::arrow(const Step& step, int y) const {
  const int from = x(step.from);
  const int length = x(step.to) - from;
  const int sign = length < 0 ? -1 : 1;
  const int drop = step.arrival == kNone ? 0 : y_[step.arrival] - y;
  const int slope = drop * 1000 / length;
  const std::string digits = std::to_string(slope < 0 ? -slope : slope);
  const std::string decimals = std::string(4 - std::min<std::size_t>(digits.size(), 4), '0') + digits;
  const std::string shear =
      (slope < 0 ? "-" : "") + decimals.substr(0, decimals.size() - 3) + "." + decimals.substr(decimals.size() - 3);

  const bool is_stopped = step.journey == Step::Journey::lost || step.kind == EventKind::refused;
  const int end = step.journey == Step::Journey::lost ? length * 2 / 3 : length;
  std::string svg = "<g transform=\"matrix(1 " + shear + " 0 1 " + points(from, y) + ")\">";
  svg += "<path class=\"touch\" d=\"M0 0H" + std::to_string(end) + "\"/>";
  svg += "<path class=\"shaft\" d=\"M0 0H" + std::to_string(end - sign * (is_stopped ? 0 : 3)) + "\"/>";
  if (is_stopped) {
    svg += cross(end, 0);
  } else {
    svg += "<path class=\"head\" d=\"M" + points(end - sign * 2, 0) + "l" + points(-sign * 10, -4) + "v8z\"/>";
  }
  svg += badge(step);

  const std::string size = size_of(step);
  const int room =
      (end < 0 ? -end : end) * 10 / kCharacterWidth - 8 - (size.empty() ? 0 : static_cast<int>(size.size()));
  const std::string label = cut(step.label, static_cast<std::size_t>(std::max(room, 12)));
  svg +=
      "<text " + at(end / 2, -6) + " class=\"mid label" + (step.is_http ? " http" : "") + "\">" + html_escaped(label);
  if (!size.empty()) svg += "<tspan class=\"size\" dx=\"8\">" + html_escaped(size) + "</tspan>";
  return svg + "</text></g>";
}

// From a host to itself.
std::string Picture::loop(const Step& step, int y) const {
  std::string svg = "<g transform=\"translate(" + points(x(step.from), y) + ")\">";
  svg += "<path class=\"shaft\" d=\"M0 -8h34q8 0 8 7t-8 7h-24\"/><path class=\"head\" d=\"M2 6l10 -4v8z\"/>";
  svg += "<g transform=\"translate(0 -8)\">" + badge(step) + "</g>";
  const auto room = static_cast<std::size_t>((lane_width_ - 60) * 10 / kCharacterWidth);
  return svg + text(52, 3, step.is_http ? "label http" : "label", cut(step.label, room)) + "</g>";
}

std::string Picture::mark(const Step& step, int y) const {
  const bool is_last = step.from + 1 == plot_.lanes().size() && step.from > 0;
  const int beside = is_last ? -16 : 16;
  std::string svg = "<g transform=\"translate(" + points(x(step.from), y) + ")\">";
  if (step.kind == EventKind::timed_out) {
    svg += "<circle class=\"face\" r=\"8\"/><path d=\"M0 -5V0L4 2\"/>";
  } else if (step.is_bad()) {
    svg += "<circle class=\"face\" r=\"8\"/><path d=\"M-3 -3L3 3M-3 3L3 -3\"/>";
  } else if (step.kind == EventKind::closed) {
    svg += "<path class=\"bar\" d=\"M-8 0H8\"/>";
  } else {
    svg += "<circle class=\"face\" r=\"4\"/>";
  }
  const auto room = static_cast<std::size_t>((lane_width_ - 40) * 10 / kCharacterWidth);
  std::string label = cut(step.label, room);
  if (step.connection != 0) label += " (" + std::to_string(step.connection) + ")";
  return svg + text(beside, 4, is_last ? "label end" : "label", label) + "</g>";
}

std::string Picture::banner(const Step& step, int y) const {
  const int left = kFirstLane - 30;
  const int width = width_ - kRightMargin - left + 30;
  const auto room = static_cast<std::size_t>((width - 24) * 10 / kCharacterWidth);
  return "<rect class=\"banner\" " + at(left, y - 12) + " width=\"" + std::to_string(width) +
         "\" height=\"24\" rx=\"6\"/>" + text(left + 12, y + 4, "label", cut(step.label, room));
}

std::string Picture::heading(const Step& step) const {
  std::string words = clock_text(step.time);
  if (step.connection != 0) words += " · " + label_text(plot_.log().connection(step.connection).label);
  const std::string who = plot_.who(step);
  if (!who.empty()) words += " · " + who;
  return words + " · " + (step.kind == EventKind::sent ? size_of(step) : step.label);
}

std::string Picture::tip(const Step& step) const {
  std::string words = heading(step);
  if (step.arrival != kNone) words += "\narrives at " + clock_text(plot_.steps()[step.arrival].time);
  if (step.kind == EventKind::sent) return words + "\n\n" + escaped_lines(step.octets, step.count, kMaxTipOctets);
  return step.text.empty() ? words : words + "\n" + step.text;
}

std::string Picture::panels() const {
  std::string html;
  for (std::size_t i = 0; i < plot_.steps().size(); ++i) {
    const Step& step = plot_.steps()[i];
    if (step.shape == Step::Shape::arrival) continue;
    const bool is_message = step.kind == EventKind::sent;
    std::string more = is_message ? escaped_lines(step.octets, step.count, kMaxOctets) : step.text;
    if (step.arrival != kNone) more = "arrives at " + clock_text(plot_.steps()[step.arrival].time) + "\n\n" + more;
    html += "<aside id=\"e" + std::to_string(i) + "\"><a href=\"#none\" title=\"Close\">×</a><b>" +
            html_escaped(heading(step)) + "</b><pre>" + html_escaped(more) + "</pre></aside>\n";
  }
  return html;
}

// ---- the page ------------------------------------------------------------------------------------------------

constexpr std::string_view kStyle = R"css(
:root{color-scheme:light dark;--bg:#fff;--fg:#1f2328;--dim:#656d76;--line:#d0d7de;--soft:#f6f8fa;--red:#cf222e;
--pink:#ffebe9;--amber:#9a6700;--sand:#fff8c5;--k:var(--dim)}
.p0{--k:#0969da}.p1{--k:#1a7f37}.p2{--k:#8250df}.p3{--k:#bc4c00}.p4{--k:#bf3989}.p5{--k:#0f766e}.p6{--k:#6e5a00}
.p7{--k:#475569}
@media(prefers-color-scheme:dark){:root{--bg:#0d1117;--fg:#e6edf3;--dim:#8d96a0;--line:#30363d;--soft:#161b22;
--red:#ff7b72;--pink:#3a1618;--amber:#e3b341;--sand:#2d2408}
.p0{--k:#58a6ff}.p1{--k:#3fb950}.p2{--k:#bc8cff}.p3{--k:#f0883e}.p4{--k:#f778ba}.p5{--k:#2dd4bf}.p6{--k:#d9c04b}
.p7{--k:#a3b1c2}}
body{margin:0;padding:0 0 30vh;background:var(--bg);color:var(--fg);font:14px/1.5 system-ui,sans-serif}
header{padding:24px 28px 8px;max-width:1100px}
h1{font-size:21px;line-height:1.3;margin:0 0 4px;font-weight:600;overflow-wrap:anywhere}
p{margin:0;color:var(--dim)}p.cut{color:var(--amber)}
details{margin-top:8px}summary{color:var(--dim);cursor:pointer;font-size:12px}
nav{display:flex;flex-wrap:wrap;gap:6px;margin-top:4px}
nav label{display:flex;align-items:center;gap:6px;padding:1px 10px 1px 6px;border:1px solid var(--line);
border-radius:99px;font-size:12px;cursor:pointer}
nav input{accent-color:var(--k);margin:0}
svg{display:block}
.names{position:sticky;top:0;z-index:1;background:var(--bg);border-bottom:1px solid var(--line)}
.names rect{fill:var(--soft);stroke:var(--line)}
text{font:600 13px system-ui,sans-serif;fill:var(--fg)}
.mid{text-anchor:middle}.end{text-anchor:end}
.clock{font:12px ui-monospace,Menlo,Consolas,monospace;fill:var(--dim)}
.lanes path,.tick path{stroke:var(--line);fill:none}.lanes path{stroke-width:2}
.gap rect{fill:var(--soft)}.gap path{fill:none;stroke:var(--line)}
.gap text{font:italic 12px system-ui,sans-serif;fill:var(--dim)}
.step{cursor:pointer;outline:none}
)css"
                                    R"css(
.step path,.step circle{stroke:var(--k);stroke-width:1.6;fill:none}
.step .head,rect.badge{fill:var(--k)}.step .head{stroke:none}
.step .touch{stroke:transparent;stroke-width:26}
.step .face{fill:var(--bg)}.step .bar{stroke-width:3}
.step .label{font:12px ui-monospace,Menlo,Consolas,monospace;paint-order:stroke;stroke:var(--bg);stroke-width:5px;
stroke-linejoin:round}
.step .http{font-weight:600}
.size{font:11px system-ui,sans-serif;fill:var(--dim)}
text.badge{font:600 11px system-ui,sans-serif;fill:var(--bg)}
.quiet .label{fill:var(--dim)}.quiet .shaft{stroke-dasharray:4 4}
.step .banner{fill:var(--soft);stroke:var(--line)}
.step .banner~.label{stroke:none;fill:var(--fg)}
.link .banner{fill:var(--sand);stroke:var(--amber)}
.step.bad{--k:var(--red)}.bad .label,.bad .size,.step.bad .banner~.label{fill:var(--red)}
.bad .banner{fill:var(--pink);stroke:var(--red)}
.step:hover .shaft,.step:focus-visible .shaft{stroke-width:3;stroke-dasharray:none}
.step:hover .banner{stroke-width:2}.step:hover .label{text-decoration:underline}
aside{display:none;position:fixed;left:0;right:0;bottom:0;max-height:42vh;overflow:auto;z-index:2;
background:var(--soft);border-top:1px solid var(--line);box-shadow:0 -8px 24px #0002;padding:12px 28px 16px}
aside:target{display:block}
aside>a{float:right;font-size:22px;line-height:1;color:var(--dim);text-decoration:none}
aside b{font-weight:600;font-variant-numeric:tabular-nums}
pre{margin:8px 0 0;font:12px/1.55 ui-monospace,Menlo,Consolas,monospace;white-space:pre-wrap;overflow-wrap:anywhere}
@media print{.names{position:static}nav,aside{display:none!important}}
)css";

std::string counted(std::uint64_t count, std::string_view noun) {
  return grouped(count) + " " + std::string(noun) + (count == 1 ? "" : "s");
}

std::vector<std::uint32_t> connections_of(const Plot& plot) {
  std::vector<std::uint32_t> numbers;
  for (const Step& step : plot.steps()) {
    if (step.connection != 0) numbers.push_back(step.connection);
  }
  std::ranges::sort(numbers);
  const auto repeated = std::ranges::unique(numbers);
  numbers.erase(repeated.begin(), repeated.end());
  return numbers;
}

std::string summary(const Plot& plot, std::size_t connections) {
  std::string words = counted(plot.events(), "event") + " · " + counted(connections, "connection") + " · " +
                      counted(plot.lanes().size(), "host");
  if (!plot.steps().empty()) {
    const Duration length = plot.steps().back().time - plot.steps().front().time;
    words += " · " + inmem::rough_text(length) + " of virtual time";
  }
  std::string html = "<p>" + words + " · log " + plot.log().hash() + "</p>\n";
  if (plot.left_out() > 0) {
    html += "<p class=\"cut\">The first " + counted(plot.left_out(), "event") + " are left out: this is the end.</p>\n";
  }
  return html;
}

// A box that hides its connection; no script is needed for that.
std::string filters(const Plot& plot, const std::vector<std::uint32_t>& connections) {
  if (connections.size() < 2) return "";
  std::string style;
  std::string boxes;
  for (std::size_t i = 0; i < std::min(connections.size(), kMaxFilters); ++i) {
    const std::string number = std::to_string(connections[i]);
    const ConnectionFacts& facts = plot.log().connection(connections[i]);
    const std::string who =
        inmem::escape(facts.names[0], kMaxNameOctets) + " → " + inmem::escape(facts.names[1], kMaxNameOctets);
    style += "body:has(#k" + number + ":not(:checked)) .c" + number + "{display:none}\n";
    boxes += "<label class=\"p" + std::to_string((connections[i] - 1) % 8) + "\"><input type=\"checkbox\" id=\"k" +
             number + "\" autocomplete=\"off\" checked>" + number + "  " + html_escaped(who) + "</label>\n";
  }
  const std::string_view open = connections.size() > kOpenFilters ? "" : " open";
  return "<style>" + style + "</style>\n<details" + std::string(open) + "><summary>Connections</summary>\n<nav>\n" +
         boxes + "</nav></details>\n";
}

}  // namespace

std::string sequence_diagram(const EventLog& log, std::string_view title) {
  const Plot plot(log);
  const Picture picture(plot);
  const std::vector<std::uint32_t> connections = connections_of(plot);
  std::string html =
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
      "base-uri 'none'; form-action 'none'\">\n<meta name=\"viewport\" content=\"width=device-width\">\n";
  html += "<title>" + html_escaped(title) + "</title>\n<style>";
  html += kStyle;
  html += "</style>\n</head>\n<body>\n<header>\n<h1>" + html_escaped(title) + "</h1>\n";
  html += summary(plot, connections.size()) + filters(plot, connections) + "</header>\n";
  html += picture.names();
  html += picture.svg();
  html += picture.panels();
  return html + "</body>\n</html>\n";
}

// ---- Mermaid -------------------------------------------------------------------------------------------------

namespace {

// Letters, figures and what means nothing there; the rest as #59;.
std::string mermaid_text(std::string_view words, std::size_t max) {
  std::string clean;
  for (const char c : cut(inmem::escape_text(words), max)) {
    const auto octet = static_cast<std::uint8_t>(c);
    if (octet >= 0x80 || ascii::is_alpha(c) || ascii::is_digit(c) || Bytes(" .,/?=_+-").contains(c)) {
      clean += c;
    } else {
      clean += "#" + std::to_string(octet) + ";";
    }
  }
  return clean;
}

std::string mermaid_line(const Plot& plot, const Step& step) {
  const auto host = [](std::size_t lane) { return "h" + std::to_string(lane); };
  std::string words = clock_text(step.time) + " ";
  if (step.connection != 0) words += "(" + std::to_string(step.connection) + ") ";
  words += step.label;
  if (step.kind == EventKind::sent) words += " " + grouped(step.count) + " B";
  const std::string label = mermaid_text(words, 120) + "\n";
  if (step.shape == Step::Shape::arrow) {
    const bool is_stopped = step.is_bad();
    const std::string_view arrow = is_stopped ? "-x" : step.kind == EventKind::sent ? "->>" : "-->>";
    return "  " + host(step.from) + std::string(arrow) + host(step.to) + ": " + label;
  }
  if (step.shape == Step::Shape::mark) return "  Note over " + host(step.from) + ": " + label;
  const std::string last = plot.lanes().size() > 1 ? "," + host(plot.lanes().size() - 1) : "";
  return "  Note over h0" + last + ": " + label;
}

}  // namespace

std::string mermaid(const EventLog& log) {
  const Plot plot(log);
  std::string text = "sequenceDiagram\n";
  for (std::size_t lane = 0; lane < plot.lanes().size(); ++lane) {
    text += "  participant h" + std::to_string(lane) + " as " + mermaid_text(plot.lanes()[lane], 40) + "\n";
  }
  if (plot.lanes().empty()) text += "  participant h0 as world\n";

  std::deque<std::string> lines;
  std::size_t size = text.size() + 100;
  std::size_t skipped = 0;
  for (std::size_t i = plot.steps().size(); i-- > 0;) {
    if (plot.steps()[i].shape == Step::Shape::arrival) continue;
    std::string line = mermaid_line(plot, plot.steps()[i]);
    size += line.size();
    if (size > kMaxMermaid) {
      ++skipped;
    } else {
      lines.push_front(std::move(line));
    }
  }
  if (const std::uint64_t left_out = plot.left_out() + skipped; left_out > 0) {
    text += "  Note over h0: … " + std::to_string(left_out) + " earlier events\n";
  }
  for (const std::string& line : lines) text += line;
  return text;
}

}  // namespace pipette::lab
