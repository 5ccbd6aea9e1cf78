#include "pipette/inmem/transcript.h"

#include "pipette/inmem/text.h"

namespace pipette::inmem {

std::string line(const EventLog& log, const Event& event) {
  std::string text = format_time(event.time) + "  ";
  const bool is_known = event.connection != 0 && event.connection <= log.connections();
  const bool has_sides = is_known && event.side != kNoSide;
  std::string_view name;
  if (is_known) {
    const ConnectionFacts& facts = log.connection(event.connection);
    text += facts.label + "  ";
    if (has_sides) name = facts.names[event.side];
  }
  const auto add_way = [&] {
    if (!has_sides) return;
    const ConnectionFacts& facts = log.connection(event.connection);
    text += facts.names[event.side] + " -> " + facts.names[1U - event.side] + "  ";
  };
  switch (event.kind) {
    case EventKind::note:
      text += event.octets;
      break;
    case EventKind::listen:
      text.append("listening on ").append(event.octets);
      break;
    case EventKind::dial:
      text.append(name).append(" dials ").append(event.octets);
      break;
    case EventKind::accepted:
      text.append(name).append(" accepts");
      break;
    case EventKind::sent:
      add_way();
      text += std::to_string(event.count) + " B  " + quote(event.octets);
      break;
    case EventKind::received:
      add_way();
      text += event.count == 0 ? "the end arrives" : std::to_string(event.count) + " B arrive";
      break;
    case EventKind::finished:
      add_way();
      text += "FIN";
      break;
    case EventKind::closed:
      add_way();
      text += "closed";
      break;
    case EventKind::timed_out:
      text.append(name).append(" has waited long enough to ").append(event.octets);
      break;
    case EventKind::refused:
    case EventKind::accept_failed:
    case EventKind::resolved:
    case EventKind::reset:
    case EventKind::fault:
    case EventKind::link:
    case EventKind::keys:
      text += to_string(event.kind);
      if (!name.empty() && event.kind == EventKind::fault) text.append(" at ").append(name);
      text.append(": ").append(event.octets);
      break;
  }
  return text;
}

std::string transcript(const EventLog& log) {
  std::string text;
  for (std::size_t i = 0; i < log.size(); ++i) text += line(log, log[i]) + "\n";
  return text;
}

std::vector<std::string> transcript_lines(const EventLog& log) {
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < log.size(); ++i) lines.push_back(line(log, log[i]));
  return lines;
}

std::string transcript_tail(const EventLog& log, std::size_t count) {
  std::string text;
  const std::size_t first = log.size() > count ? log.size() - count : 0;
  const std::uint64_t earlier = first + log.dropped();
  if (earlier > 0) text += "  … " + std::to_string(earlier) + " earlier events\n";
  for (std::size_t i = first; i < log.size(); ++i) text += "  " + line(log, log[i]) + "\n";
  return text;
}

}  // namespace pipette::inmem
