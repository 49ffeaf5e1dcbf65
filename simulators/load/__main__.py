"""`python -m simulators.load`: serve Modbus load."""

from simulators.load.modbus import main

if __name__ == "__main__":
    main()
