// Processor seconds that n2p2 takes for energy and forces of input.data, and of these for the search of neighbours: the least of several
// evaluations. Run in a folder with input.nn, scaling.data, weights.*.data and input.data.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>

#include "Prediction.h"

template <typename Work>
double seconds(Work work)
{
    const std::clock_t start = std::clock();
    work();
    return double(std::clock() - start) / CLOCKS_PER_SEC;
}

int main(int argc, char* argv[])
{
    const int rounds = argc > 1 ? std::atoi(argv[1]) : 5;
    std::ofstream log("timing.log");
    nnp::Prediction prediction;
    prediction.log.registerStreamPointer(&log);
    prediction.setup();
    double search = 1e99, all = 1e99;
    for (int round = 0; round < rounds; ++round) {
        prediction.readStructureFromFile("input.data");
        search = std::min(search, seconds([&] {
            prediction.structure.calculateNeighborList(prediction.getMaxCutoffRadius(), false);
        }));
        prediction.readStructureFromFile("input.data");
        all = std::min(all, seconds([&] { prediction.predict(); }));
    }
    std::printf("%.9g %.9g %.17g\n", all, search, prediction.structure.energy);
}
