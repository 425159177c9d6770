"""What is measured of a network: one table, of which every form of a report and the gate take their columns."""
