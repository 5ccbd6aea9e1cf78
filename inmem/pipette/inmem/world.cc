#include "pipette/inmem/world.h"

#include <cstdlib>
#include <fstream>
#include <string>

#include "pipette/inmem/transcript.h"

namespace pipette::inmem {
namespace {

// Each host draws numbers of its own; the first one those of the seed itself.
std::uint64_t seed_of(std::uint64_t world, std::size_t host) { return world ^ (host * 0x9e3779b97f4a7c15); }

}  // namespace

World::World(std::uint64_t seed, WallTime start) : World(nullptr, seed, start) {}

World::World(Oracle* oracle, std::uint64_t seed, WallTime start)
    : seed_(seed),
      start_(start),
      own_oracle_(seed),
      decisions_(oracle == nullptr ? own_oracle_ : *oracle),
      scheduler_(decisions_),
      faults_(decisions_, log_, scheduler_),
      network_(scheduler_, decisions_, faults_, log_, start) {
  add_host("client", Clock());
}

World::~World() {
  const auto append = [this](const char* variable, const auto& text) {
    const char* file = std::getenv(variable);
    if (file == nullptr || log_.empty()) return;
    std::ofstream out(file, std::ios::app);
    out << "world, seed " << seed_ << "\n" << text() << "\n";
  };
  append("PIPETTE_TRANSCRIPT", [this] { return transcript(log_); });
  append("PIPETTE_HASHES", [this] { return log_.hash(); });
}

std::string World::unfinished() const {
  std::string text = unfinished_;
  undertakings_.for_each([&text](const Undertaking& undertaking) { text += undertaking.report(); });
  return text;
}

Host& World::host(std::string_view name) {
  if (Host* known = network_.find_host(name)) return *known;
  return add_host(name, Clock());
}

Host& World::add_host(std::string_view name, Clock clock) {
  const auto number = static_cast<std::uint16_t>(hosts_.size());
  hosts_.push_back(std::make_unique<Host>(network_, scheduler_, seed_of(seed_, number), start_, std::string(name),
                                          number, network_.next_address(), clock));
  network_.add_host(*hosts_.back());
  return *hosts_.back();
}

}  // namespace pipette::inmem
