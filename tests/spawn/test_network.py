from jack_ray.spawn.network import network_of


def test_an_address_of_this_machine_has_its_interfaces_network() -> None:
    assert network_of("127.0.0.1") == "127.0.0.0/8"


def test_an_address_that_no_interface_has_is_a_network_of_its_own() -> None:
    assert network_of("192.0.2.7") == "192.0.2.7/32"
