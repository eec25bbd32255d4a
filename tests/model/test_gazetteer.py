from model.gazetteer import fold


def test_folding_joins_the_spellings_of_one_sound() -> None:
    assert fold("soekarno") == fold("sukarno")
    assert fold("sangatta") == fold("sangata")
    assert fold("haloq") == fold("halok")
    assert fold("wahaw") == fold("wahau")
    assert fold("sjahranie") == fold("syahranie")
