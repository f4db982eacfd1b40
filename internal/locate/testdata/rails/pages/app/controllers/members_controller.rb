class MembersController < ActionController::Base
  def index; end
end
