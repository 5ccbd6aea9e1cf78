#include "pipette/inmem/faults.h"

#include <utility>

namespace pipette::inmem {
namespace {

using enum Fault;

constexpr std::array kOfRead = {end_of_stream, reset, timed_out, short_then_reset, stall, cancel};
constexpr std::array kOfWrite = {reset, timed_out, short_then_reset, stall, cancel};
constexpr std::array kOfCloseWrite = {reset, timed_out, cancel};
constexpr std::array kOfDial = {refused, unreachable, timed_out, cancel};
constexpr std::array kOfAccept = {too_many_open_files, too_many_open_files_in_system, connection_aborted};
constexpr std::array kOfResolve = {host_not_found, timed_out};
constexpr std::array kOfStep = {destroy};
constexpr std::array kOfCall = {cancel};

struct Row {
  Operation operation;
  std::string_view name;
  Site site;
  std::span<const Fault> faults;
};

constexpr std::array<Row, kOperations> kTable = {
    Row{Operation::read, "read", Site("fault.read"), kOfRead},
    Row{Operation::write, "write", Site("fault.write"), kOfWrite},
    Row{Operation::close_write, "close write", Site("fault.close_write"), kOfCloseWrite},
    Row{Operation::dial, "dial", Site("fault.dial"), kOfDial},
    Row{Operation::accept, "accept", Site("fault.accept"), kOfAccept},
    Row{Operation::resolve, "look-up", Site("fault.resolve"), kOfResolve},
    Row{Operation::step, "step", Site("fault.step"), kOfStep},
    Row{Operation::call, "step of a call", Site("fault.call"), kOfCall},
};

constexpr bool stands_in_order() {
  for (std::size_t i = 0; i < kOperations; ++i) {
    if (std::to_underlying(kTable[i].operation) != i) return false;
  }
  return true;
}
static_assert(stands_in_order());

const Row& row(Operation operation) { return kTable[std::to_underlying(operation)]; }

std::string ordinal_text(std::uint64_t number) {
  const std::uint64_t last_two = number % 100;
  const bool is_teen = last_two >= 11 && last_two <= 13;
  const std::uint64_t last = is_teen ? 0 : number % 10;
  return std::to_string(number) + (last == 1 ? "st" : last == 2 ? "nd" : last == 3 ? "rd" : "th");
}

}  // namespace

std::string_view to_string(Operation operation) { return row(operation).name; }

std::string_view to_string(Fault fault) {
  switch (fault) {
    case none:
      return "none";
    case end_of_stream:
      return "end of stream";
    case reset:
      return "reset";
    case timed_out:
      return "timed out";
    case short_then_reset:
      return "short, then reset";
    case stall:
      return "stall";
    case cancel:
      return "canceled";
    case refused:
      return "refused";
    case unreachable:
      return "unreachable";
    case too_many_open_files:
      return "EMFILE";
    case too_many_open_files_in_system:
      return "ENFILE";
    case connection_aborted:
      return "ECONNABORTED";
    case host_not_found:
      return "host not found";
    case destroy:
      return "destroyed";
  }
  return "?";
}

std::span<const Fault> faults_of(Operation operation) { return row(operation).faults; }

Site fault_site(Operation operation) { return row(operation).site; }

std::string describe_fault(std::string_view site, std::uint64_t object, std::uint32_t ordinal, unsigned answer) {
  for (const Row& candidate : kTable) {
    if (candidate.site.name() != site) continue;
    std::string text;
    const bool has_connection = candidate.operation <= Operation::close_write;
    if (has_connection)
      text += "conn " + std::to_string(object / 2) + (object % 2 == 0 ? ", dialing side: " : ", accepting side: ");
    text += "the " + ordinal_text(std::uint64_t{ordinal} + 1) + " " + std::string(candidate.name) + ": ";
    const std::size_t kinds = candidate.faults.size();
    if (answer == 0 || answer > 2 * kinds) return text + "nothing";
    text += to_string(candidate.faults[(answer - 1) % kinds]);
    if (answer > kinds) text += ", sticky";
    return text;
  }
  return "";
}

Fault Faults::strike(Operation operation, std::uint32_t connection, std::uint8_t side) {
  if (!is_offering_) return none;
  const Row& known = row(operation);
  const std::size_t index = std::to_underlying(operation);
  Fault fault = sticky_[index];
  if (fault == none) {
    const auto kinds = static_cast<unsigned>(known.faults.size());
    const std::uint64_t object = std::uint64_t{connection} * 2 + (side == 1 ? 1 : 0);
    const unsigned answer = decisions_.choose(known.site, object, 1 + 2 * kinds, one_in_);
    if (answer == 0) return none;
    fault = known.faults[(answer - 1) % kinds];
    if (answer > kinds) sticky_[index] = fault;
  }
  ++counts_[index][std::to_underlying(fault)];
  ++total_;
  std::string text(known.name);
  text += ": ";
  text += to_string(fault);
  log_.add({.time = scheduler_.now(), .kind = EventKind::fault, .side = side, .connection = connection}, text);
  return fault;
}

std::uint64_t Faults::struck(Operation operation, Fault fault) const {
  return counts_[std::to_underlying(operation)][std::to_underlying(fault)];
}

}  // namespace pipette::inmem
