"""The made-up world behind the demo data: days, cities where customers live, merchant groups, merchants' places."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

FIRST_DAY = date(2019, 4, 1)
DAYS = tuple(FIRST_DAY + timedelta(days=number) for number in range(403))

COLUMNS = (
    "id",
    "safra_abertura",
    "cidade",
    "estado",
    "idade",
    "sexo",
    "limite_total",
    "limite_disp",
    "data",
    "valor",
    "grupo_estabelecimento",
    "cidade_estabelecimento",
    "pais_estabelecimento",
)

LIMITS = (500, 1200, 2200, 2700, 3650, 4200, 4700, 5500, 6500, 7500, 8500, 12000, 18000, 25000, 35200, 40000)


class Group(NamedTuple):
    """A merchant group: how common it is, and the median and the spread (sigma of the logarithm) of its amounts."""

    name: str
    weight: float
    median: float
    sigma: float


GROUPS = (
    Group("SERVIÇO", 0.370, 15, 0.80),
    Group("RESTAURANTE", 0.175, 34, 0.75),
    Group("VAREJO", 0.115, 60, 0.85),
    Group("SUPERMERCADOS", 0.093, 45, 0.80),
    Group("VESTUARIO", 0.048, 140, 0.60),
    Group("FARMACIAS", 0.045, 50, 0.60),
    Group("POSTO DE GAS", 0.040, 90, 0.45),
    Group("M.O.T.O.", 0.035, 30, 1.00),
    Group("ARTIGOS ELETRO", 0.024, 25, 1.10),
    Group("LOJA DE DEPART", 0.015, 80, 0.90),
    Group("CIA AEREAS", 0.008, 700, 0.80),
    Group("HOTEIS", 0.006, 300, 0.80),
    Group("SEM RAMO", 0.005, 30, 0.70),
    Group("HOSP E CLINICA", 0.004, 350, 0.60),
    Group("MOVEIS E DECOR", 0.004, 400, 0.70),
    Group("MAT CONSTRUCAO", 0.003, 90, 0.90),
    Group("AUTO PEÇAS", 0.003, 280, 0.60),
    Group("AGENCIA DE TUR", 0.002, 1000, 0.60),
    Group("TRANS FINANC", 0.002, 200, 1.00),
    Group("JOALHERIA", 0.001, 220, 0.50),
    Group("INEXISTENTE", 0.001, 2500, 0.70),
    Group("ALUG DE CARROS", 0.001, 500, 0.50),
)

REGIONS = ("SUDESTE", "SUL", "NORDESTE", "CENTRO-OESTE", "NORTE")
_REGION_OF = {
    **dict.fromkeys(("SP", "RJ", "MG", "ES"), "SUDESTE"),
    **dict.fromkeys(("PR", "SC", "RS"), "SUL"),
    **dict.fromkeys(("BA", "PE", "CE", "MA", "RN", "PB", "AL", "SE", "PI"), "NORDESTE"),
    **dict.fromkeys(("DF", "GO", "MT", "MS"), "CENTRO-OESTE"),
    **dict.fromkeys(("AM", "PA", "AC", "RO", "RR", "AP", "TO"), "NORTE"),
}


@dataclass(frozen=True, slots=True)
class City:
    """A city where customers live."""

    name: str
    state: str

    @property
    def region(self) -> str:
        """The region of the country in which its state lies."""
        return _REGION_OF[self.state]

    @property
    def on_receipts(self) -> str:
        """Its name as card terminals print it: without accents, cut at 13 characters.

        >>> City("SÃO JOSÉ DOS CAMPOS", "SP").on_receipts
        'SAO JOSE DOS'
        """
        plain = unicodedata.normalize("NFKD", self.name).encode("ascii", "ignore").decode()
        return plain[:13].rstrip()


_CITIES_BY_STATE = {
    "SP": (
        "SÃO PAULO, SANTO ANDRÉ, OSASCO, GUARULHOS, CAMPINAS, RIBEIRÃO PRETO, SÃO JOSÉ DOS CAMPOS, MAUÁ, TAUBATÉ, "
        "JUNDIAÍ, SANTOS, SOROCABA, SÃO CARLOS, BRAGANÇA PAULISTA, TABOÃO DA SERRA, EMBU DAS ARTES, ITAQUAQUECETUBA, "
        "POÁ, MAIRIPORÃ, GUARUJÁ, ARAÇATUBA, JAÚ, MARÍLIA, SUMARÉ"
    ),
    "RJ": "RIO DE JANEIRO, NITERÓI, SÃO GONÇALO, DUQUE DE CAXIAS, MAGÉ, PETRÓPOLIS, MACAÉ",
    "MG": "BELO HORIZONTE, UBERLÂNDIA, MONTES CLAROS, SETE LAGOAS, POÇOS DE CALDAS, ARAXÁ, NOVA LIMA, ITAJUBÁ",
    "ES": "VITÓRIA, VILA VELHA, GUARAPARI",
    "PR": "CURITIBA, LONDRINA, MARINGÁ, FOZ DO IGUAÇU, PARANAGUÁ",
    "SC": "FLORIANÓPOLIS, JOINVILLE, CHAPECÓ, CRICIÚMA, ITAJAÍ",
    "RS": "PORTO ALEGRE, CAXIAS DO SUL, GRAVATAÍ, PELOTAS",
    "BA": "SALVADOR, CAMAÇARI, ILHÉUS",
    "PE": "RECIFE, OLINDA, JABOATÃO",
    "CE": "FORTALEZA, CAUCAIA",
    "MA": "SÃO LUÍS",
    "RN": "NATAL, MOSSORÓ",
    "PB": "JOÃO PESSOA",
    "AL": "MACEIÓ",
    "DF": "BRASÍLIA",
    "GO": "GOIÂNIA, ANÁPOLIS",
    "MT": "CUIABÁ, RONDONÓPOLIS",
    "MS": "CAMPO GRANDE",
    "AM": "MANAUS",
    "PA": "BELÉM, SANTARÉM, MARABÁ",
    "TO": "PALMAS",
}
KNOWN_CITIES = tuple(City(name, state) for state, names in _CITIES_BY_STATE.items() for name in names.split(", "))
# People live here, but the reference table has never heard of these places.
UNKNOWN_CITIES = (City("VILA DAS ARAUCÁRIAS", "PR"), City("MORRO DO CAJU", "BA"), City("SÃO BRÁS DO AÇUDE", "SP"))
CITIES = KNOWN_CITIES + UNKNOWN_CITIES


class Place(NamedTuple):
    """Where a merchant is, as its terminal says it, and how common that is among purchases away from home."""

    city: str
    country: str
    weight: float


_ODD_PLACES = (
    Place("SAOPAULO", "BR", 30),
    Place("Sao Paulo", "BR", 25),
    Place("SP", "BR", 8),
    Place("RiodeJaneiro", "BR", 8),
    Place("RIODEJANEIRO", "BR", 4),
    Place("SAOBERNARDODO", "BR", 4),
    Place("SAOJOSEDOSCAM", "BR", 4),
    Place("SANTOANDRE", "BR", 4),
    Place("Campinas", "BR", 4),
    Place("Jundiai", "BR", 3),
    Place("Osasco", "BR", 3),
    Place("Brasilia", "BR", 3),
    Place("Mogi das Cruz", "BR", 2),
    Place("5,51E+11", "BR", 5),
    Place("5,56E+11", "BR", 2),
    Place("303-555-0142", "US", 4),
    Place("206-555-0117", "US", 3),
    Place("HELP.EXAMPLE", "US", 3),
    Place("SANTIAGO", "CL", 3),
    Place("LIMA", "PE", 1),
    Place("BOGOTA", "CO", 1),
    Place("DUBLIN", "IE", 1),
    Place("", "", 5),
)
# The first places are the homes of customers, in the order of CITIES.
PLACES = (
    Place(CITIES[0].on_receipts, "BR", 400),
    *(Place(city.on_receipts, "BR", 2 + 60 / rank) for rank, city in enumerate(CITIES[1:], start=2)),
    *_ODD_PLACES,
)
NOWHERE = PLACES.index(_ODD_PLACES[-1])
