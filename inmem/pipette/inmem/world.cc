#include "pipette/inmem/world.h"

#include <cstdlib>
#include <fstream>

namespace pipette::inmem {

World::World(std::uint64_t seed, WallTime start)
    : seed_(seed), loop_(start), network_(loop_, transcript_), runtime_(*this) {}

World::~World() {
  const char* file = std::getenv("PIPETTE_TRANSCRIPT");
  if (file == nullptr || transcript_.lines().empty()) return;
  std::ofstream out(file, std::ios::app);
  out << "world, seed " << seed_ << "\n" << transcript_.text() << "\n";
}

}  // namespace pipette::inmem
