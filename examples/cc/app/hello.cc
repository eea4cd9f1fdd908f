// Shows that the image holds what C++ programs are linked with: exceptions are caught, and loops run on several threads.
#include <iostream>
#include <stdexcept>
#include <string>

int main() {
    int sum = 0;
#pragma omp parallel for reduction(+ : sum)
    for (int number = 1; number <= 100; number++)
        sum += number;
    try {
        throw std::runtime_error("an exception");
    } catch (const std::exception &caught) {
        std::cout << "hello from a program in C++\ncaught " << caught.what() << "\n1 to 100: " << sum << std::endl;
    }
}
