class PeopleController < ActionController::Base
  def home; end
  def index; end
  def search; end
end
